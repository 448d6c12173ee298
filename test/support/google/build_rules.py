"""What Cloud Build refuses before it starts a build, and how it puts substitutions into one."""

import re

from messages import Refusal, rpc_error

TEXT, LIST, MAP, TEXTS = "TYPE_STRING", "list", "map", "texts"
STEP = {"name": TEXT, "args": TEXTS, "env": TEXTS, "dir": TEXT, "id": TEXT, "waitFor": TEXTS, "entrypoint": TEXT, "timeout": TEXT,
        "script": TEXT, "allowFailure": None, "allowExitCodes": None, "secretEnv": TEXTS, "volumes": LIST, "automapSubstitutions": None}
OPTIONS = {"machineType": ("UNSPECIFIED", "E2_MEDIUM", "E2_STANDARD_2", "E2_HIGHCPU_8", "E2_HIGHCPU_32", "N1_HIGHCPU_8", "N1_HIGHCPU_32"),
           "diskSizeGb": None, "substitutionOption": ("MUST_MATCH", "ALLOW_LOOSE"),
           "dynamicSubstitutions": None, "automapSubstitutions": None,
           "logStreamingOption": ("STREAM_DEFAULT", "STREAM_ON", "STREAM_OFF"), "workerPool": TEXT, "pool": MAP,
           "logging": ("LOGGING_UNSPECIFIED", "LEGACY", "GCS_ONLY", "STACKDRIVER_ONLY", "CLOUD_LOGGING_ONLY", "NONE"), "env": TEXTS,
           "secretEnv": TEXTS, "volumes": LIST, "sourceProvenanceHash": TEXTS, "requestedVerifyOption": ("NOT_VERIFIED", "VERIFIED"),
           "defaultLogsBucketBehavior": ("DEFAULT_LOGS_BUCKET_BEHAVIOR_UNSPECIFIED", "REGIONAL_USER_OWNED_BUCKET", "LEGACY_BUCKET"),
           "enableStructuredLogging": None, "pubsubTopic": TEXT}
BUILD = {"source": MAP, "steps": LIST, "images": TEXTS, "timeout": TEXT, "queueTtl": TEXT, "logsBucket": TEXT, "tags": TEXTS,
         "substitutions": MAP, "options": MAP, "serviceAccount": TEXT, "artifacts": MAP, "availableSecrets": MAP, "projectId": TEXT,
         "dependencies": LIST}
BUILT_IN = {"PROJECT_ID", "PROJECT_NUMBER", "BUILD_ID", "LOCATION", "TRIGGER_NAME", "SERVICE_ACCOUNT_EMAIL", "SERVICE_ACCOUNT", "REPO_NAME",
            "REPO_FULL_NAME", "BRANCH_NAME", "TAG_NAME", "REVISION_ID", "COMMIT_SHA", "SHORT_SHA"}
REFERENCE = re.compile(r"\$\$|\$([A-Z_][A-Z0-9_]*)|\$\{([A-Z_][A-Z0-9_]*)\}")
IMAGE = re.compile(r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9._/-]+(?::[\w.-]{1,128})?")
DURATION = re.compile(r"(\d+)(?:\.\d{1,9})?s")


def refuse(words):
    raise Refusal(rpc_error(400, words))


def seconds(text, field):
    if not isinstance(text, str) or not DURATION.fullmatch(text):
        refuse(f"Invalid value at 'build.{field}' (type.googleapis.com/google.protobuf.Duration), Field '{field}', Illegal duration "
               "format; duration must end with 's'")
    return float(text[:-1])


def check_fields(value, known, where):
    for name, field in value.items():
        if name not in known:
            refuse(f'Invalid JSON payload received. Unknown name "{name}" at \'{where}\': Cannot find field.')
        check_kind(field, known[name], f"{where}.{name}")


def check_kind(field, kind, where):
    if isinstance(kind, tuple) and field not in kind:
        refuse(f"Invalid value at '{where}' (type.googleapis.com/google.devtools.cloudbuild.v1.{where.split('.')[-1]}), \"{field}\"")
    if kind == TEXT and not isinstance(field, str):
        refuse(f"Invalid value at '{where}' (TYPE_STRING), {field}")
    if kind in (TEXTS, LIST) and not isinstance(field, list):
        refuse(f"Invalid value at '{where}', {field}")
    if kind == MAP and not isinstance(field, dict):
        refuse(f"Invalid value at '{where}', {field}")
    if kind == TEXTS:
        for position, one in enumerate(field):
            if not isinstance(one, str):
                refuse(f"Invalid value at '{where}[{position}]' (TYPE_STRING), {one}")


def check(build, project):
    """Refuses a build with 400, in Google's words."""
    check_fields(build, BUILD, "build")
    options = build.get("options", {})
    check_fields(options, OPTIONS, "build.options")
    if not build.get("steps"):
        refuse("invalid build: no build steps specified; must specify at least one")
    for position, step in enumerate(build["steps"]):
        check_fields(step, STEP, f"build.steps[{position}]")
        if not step.get("name"):
            refuse(f"invalid build: invalid step[{position}]: name must be specified")
        if "timeout" in step:
            seconds(step["timeout"], "steps.timeout")
    if build.get("projectId", project) != project:
        refuse("invalid build: project_id does not match the one of the request")
    for image in build.get("images", []):
        if not IMAGE.fullmatch(REFERENCE.sub("x", image)):
            refuse(f'invalid image name "{image}": could not parse reference: {image}')
    for tag in build.get("tags", []):
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,127}", tag):
            refuse(f'invalid build: invalid build tag "{tag}": must match format "^[\\w][\\w.-]{{0,127}}$"')
    for field in ("timeout", "queueTtl"):
        if field in build and not 0 < seconds(build[field], field) <= 86400:
            refuse(f"invalid build: {field} must be between 0s and 86400s")
    storage = build.get("source", {}).get("storageSource")
    if storage is not None and not (storage.get("bucket") and storage.get("object")):
        refuse("invalid build: source.storage_source must have a bucket and an object")
    if int(options.get("diskSizeGb", 0)) > 4000:
        refuse("invalid build: disk size must be at most 4000 GB")
    if "logsBucket" in build and not re.fullmatch(r"gs://[a-z0-9][a-z0-9._-]+(/.*)?", build["logsBucket"]):
        refuse(f'invalid bucket "{build["logsBucket"]}"')
    if build.get("serviceAccount") and not build.get("logsBucket") and \
            options.get("defaultLogsBucketBehavior") != "REGIONAL_USER_OWNED_BUCKET" and \
            options.get("logging") not in ("CLOUD_LOGGING_ONLY", "NONE"):
        refuse("invalid argument: if 'build.service_account' is specified, the build must either (a) specify 'build.logs_bucket', (b) "
               "use the REGIONAL_USER_OWNED_BUCKET build.options.default_logs_bucket_behavior option, or (c) use either "
               "CLOUD_LOGGING_ONLY / NONE logging options")
    check_substitutions(build, options.get("substitutionOption") == "ALLOW_LOOSE")


def texts(build):
    for step in build["steps"]:
        for field in ("name", "dir", "entrypoint", "script"):
            yield step.get(field, "") if field != "script" or step.get("automapSubstitutions") else ""
        yield from step.get("args", [])
        yield from step.get("env", [])
    yield from build.get("images", [])


def check_substitutions(build, loose):
    given = build.get("substitutions", {})
    used = {first or second for text in texts(build) for first, second in REFERENCE.findall(text)} - {""}
    for key in given:
        if not re.fullmatch(r"_[A-Z0-9_]+", key):
            refuse(f"invalid value for 'build.substitutions': substitution key \"{key}\" does not respect format ^_[A-Z0-9_]+$")
    if loose:
        return
    for key in used - BUILT_IN - set(given):
        words = "is not matched in the substitution data" if key.startswith("_") else "is not a valid built-in substitution"
        refuse(f"invalid value for 'build.substitutions': key in the template \"{key}\" {words}")
    for key in set(given) - used:
        refuse(f"invalid value for 'build.substitutions': key in the substitution data \"{key}\" is not matched in the template")


def substituted(text, values):
    return REFERENCE.sub(lambda match: "$" if match[0] == "$$" else values.get(match[1] or match[2], ""), text)


def with_substitutions(step, values):
    """The step as it is run. Scripts are not touched."""
    told = dict(step)
    for field in ("name", "dir", "entrypoint"):
        if field in told:
            told[field] = substituted(told[field], values)
    for field in ("args", "env"):
        if field in told:
            told[field] = [substituted(one, values) for one in told[field]]
    return told
