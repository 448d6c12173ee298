# Bash completion for dockline. Everything is known here: no daemon is asked.

# The names of docker's contexts.
_dockline_contexts() {
  echo default
  sed -n 's/.*"Name":"\([A-Za-z0-9_.+-]*\)".*/\1/p' "${DOCKER_CONFIG:-$HOME/.docker}"/contexts/meta/*/meta.json 2>/dev/null
}

_dockline() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word i
  local globals='-H --host -c --context --tls --tlsverify --tlscacert --tlscert --tlskey --timeout --debug --version -h --help'
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      -H | --host | -c | --context | --tlscacert | --tlscert | --tlskey | --timeout) ((i++)) ;;
      -*) ;;
      *)
        command=$word
        break
        ;;
    esac
  done
  COMPREPLY=()

  case $previous in
    --progress) mapfile -t COMPREPLY < <(compgen -W 'auto tty plain json' -- "$current"); return ;;
    --builder) mapfile -t COMPREPLY < <(compgen -W 'auto buildkit classic' -- "$current"); return ;;
    --compression) mapfile -t COMPREPLY < <(compgen -W 'auto gzip none' -- "$current"); return ;;
    --compression-level) mapfile -t COMPREPLY < <(compgen -W '1 2 3 4 5 6 7 8 9' -- "$current"); return ;;
    --network) mapfile -t COMPREPLY < <(compgen -W 'bridge host none' -- "$current"); return ;;
    --build-arg | -e | --env) mapfile -t COMPREPLY < <(compgen -v -- "$current"); return ;;
    --format)
      local formats='table json'
      [[ $command != context ]] || formats='table json tar'
      [[ $command != inspect ]] || formats='array json'
      mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$current")
      return
      ;;
    --entry-point | --requirements | --config) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --accelerator) mapfile -t COMPREPLY < <(compgen -W 'none gpu' -- "$current"); return ;;
    --machine-type) mapfile -t COMPREPLY < <(compgen -W 'E2_MEDIUM E2_STANDARD_2 E2_HIGHCPU_8 E2_HIGHCPU_32' -- "$current"); return ;;
    --on-wait-timeout) mapfile -t COMPREPLY < <(compgen -W 'cancel leave' -- "$current"); return ;;
    --type) mapfile -t COMPREPLY < <(compgen -W 'image container' -- "$current"); return ;;
    --mode) mapfile -t COMPREPLY < <(compgen -W 'classic buildkit' -- "$current"); return ;;
    -c | --context) mapfile -t COMPREPLY < <(compgen -W "$(_dockline_contexts)" -- "$current"); return ;;
    -f | --file | --iidfile | --metadata-file | -o | --output | -i | --input | \
      --tlscacert | --tlscert | --tlskey)
      case $previous,$command in
        --tls*) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        *,build | *,context | *,save | *,load) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
      esac
      ;;
    -H | --host) mapfile -t COMPREPLY < <(compgen -W 'unix:///var/run/docker.sock tcp:// ssh://' -- "$current"); return ;;
    --destination-dir | --image | --parent-image | --image-build-bucket | --project | --region | --registry | \
      --filter | --since | --until | --tail | -n | -t | --tag | --label | --target | --platform | --cache-from | \
      --add-host | --shm-size | --ulimit | -m | \
      --memory | --memory-swap | --cpu-shares | --cpu-period | --cpu-quota | --cpuset-cpus | --cpuset-mems | \
      --image-build-bucket | --project | --region | --disk-size | --worker-pool | --service-account | --logs-bucket | \
      --build-timeout | --queue-timeout | --build-tag | --bucket-location | --wait-timeout | --substitution | \
      --cgroup-parent | --timeout | --name | -p | --publish | -w | --workdir | -u | --user | --entrypoint) return ;;
    -v | --volume) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
  esac

  case $command in
    '')
      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$globals" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -W 'build containerize context run push pull tag images inspect rmi save load \
          logs events prune info version ping doctor' -- "$current")
      fi
      ;;
    build)
      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$globals -f --file -t --tag --build-arg --label --target --platform \
          --cache-from --no-cache --pull --network --add-host --shm-size --ulimit -m --memory --memory-swap \
          --cpu-shares --cpu-period --cpu-quota --cpuset-cpus --cpuset-mems --cgroup-parent --rm --force-rm \
          --squash --iidfile --load --push --metadata-file -q --quiet --progress --builder --secret --ssh -o --output --cache-to --compression --compression-level --reproducible \
          --image-build-bucket --project --region --machine-type --disk-size --worker-pool --service-account --logs-bucket \
          --build-timeout --queue-timeout --build-tag --bucket-location --wait-timeout --on-wait-timeout --substitution" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
      fi
      ;;
    containerize)
      [[ $current != -* ]] || mapfile -t COMPREPLY < <(compgen -W "$globals --entry-point --requirements \
        --destination-dir --image --parent-image --cache-from --image-build-bucket --project --region --registry \
        --accelerator --tpu --from-notebook --no-push --config --dry-run -q --quiet --progress" -- "$current")
      ;;
    context)
      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$globals -f --file --format -o --output --mode --compression \
          --compression-level --reproducible" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
      fi
      ;;
    run)
      [[ $current != -* ]] || mapfile -t COMPREPLY < <(compgen -W "$globals --rm -d --detach -i --interactive \
        --name -e --env -v --volume -p --publish --network -w --workdir -u --user --entrypoint" -- "$current")
      ;;
    push) mapfile -t COMPREPLY < <(compgen -W "$globals -a --all-tags --platform -q --quiet --progress" -- "$current") ;;
    pull) mapfile -t COMPREPLY < <(compgen -W "$globals -a --all-tags --platform -q --quiet --progress" -- "$current") ;;
    images)
      mapfile -t COMPREPLY < <(compgen -W "$globals -a --all -q --quiet --no-trunc --digests -f --filter --format" \
        -- "$current")
      ;;
    inspect) mapfile -t COMPREPLY < <(compgen -W "$globals --type --format" -- "$current") ;;
    rmi) mapfile -t COMPREPLY < <(compgen -W "$globals -f --force --no-prune" -- "$current") ;;
    save) mapfile -t COMPREPLY < <(compgen -W "$globals -o --output --platform" -- "$current") ;;
    load) mapfile -t COMPREPLY < <(compgen -W "$globals -i --input --platform -q --quiet --progress" -- "$current") ;;
    logs)
      mapfile -t COMPREPLY < <(compgen -W "$globals -f --follow -t --timestamps -n --tail --since --until" \
        -- "$current")
      ;;
    events) mapfile -t COMPREPLY < <(compgen -W "$globals --since --until -f --filter --format" -- "$current") ;;
    prune) mapfile -t COMPREPLY < <(compgen -W "$globals -a --all -f --force --filter --format" -- "$current") ;;
    info) mapfile -t COMPREPLY < <(compgen -W "$globals --format" -- "$current") ;;
    doctor) mapfile -t COMPREPLY < <(compgen -W "$globals --format --image-build-bucket --project" -- "$current") ;;
    tag) mapfile -t COMPREPLY < <(compgen -W "$globals" -- "$current") ;;
    version) mapfile -t COMPREPLY < <(compgen -W "$globals --client" -- "$current") ;;
    ping) mapfile -t COMPREPLY < <(compgen -W "$globals" -- "$current") ;;
  esac
}
complete -o filenames -F _dockline dockline
