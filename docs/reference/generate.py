#!/usr/bin/env python3
"""Generates the reference of the public headers and checks it: generate.py SOURCE BUILD VERSION

The pages are BUILD/reference/html/index.html. Exits 77 without doxygen, and 1 where Doxygen has something to say, a public name
is not documented, or an operation is not described in the order that all of them have, or its example is not where it says.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ORDER = ["Completion", "Signature", "Lifetimes", "Cancellation", "Errors", "Source", "Example"]
# What the check of the XML finds as well.
IN_XML = re.compile(r"(Compound dockline\S*|of (namespace|class|struct|union) dockline\S*) is not documented\.$")


def generate(source, build, version):
    """Runs doxygen into BUILD/reference, and returns its warnings, but for those that check() has as well."""
    output = build / "reference"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    text = (source / "docs/reference/Doxyfile.in").read_text(encoding="utf-8")
    for name, value in {"SOURCE": source, "BUILD": build, "OUTPUT": output, "PYTHON": sys.executable,
                        "VERSION": version}.items():
        text = text.replace(f"@{name}@", str(value))
    (output / "Doxyfile").write_text(text, encoding="utf-8")
    subprocess.run(["doxygen", str(output / "Doxyfile")], check=True, stdout=subprocess.DEVNULL)
    warnings = (output / "warnings.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in warnings if not IN_XML.search(line)]


def text_of(element):
    return " ".join("".join(part.itertext()) for tag in ("briefdescription", "detaileddescription")
                    for part in element.findall(tag)).strip()


def place_of(element):
    where = element.find("location")
    return "" if where is None else f"{where.get('file')}:{where.get('line')}: "


def compounds(folder):
    for compound in ElementTree.parse(folder / "index.xml").getroot():
        if compound.get("kind") in ("namespace", "class", "struct", "union"):
            yield from ElementTree.parse(folder / f"{compound.get('refid')}.xml").getroot()


def shows(page, call):
    """Whether the page or source, without what a page of Markdown hides, has the call."""
    return page.is_file() and call in re.sub(r"^<!--.*?^-->", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def complaints_about(operations, source):
    """What is wrong with the forms of one operation, by name."""
    for name, forms in operations.items():
        first, others = forms[0], forms[1:]
        paragraphs = {part.findtext("title").strip(): " ".join("".join(text.itertext()) for text in part.iterfind("para")).strip()
                      for part in first.iterfind("detaileddescription//simplesect[@kind='par']")}
        if list(paragraphs) != ORDER:
            yield f"{place_of(first)}{name} has the paragraphs {', '.join(paragraphs) or 'none'}; wanted {', '.join(ORDER)}"
        page, call = paragraphs.get("Example", "").removesuffix("."), name.removeprefix("dockline::") + "("
        if not shows(source / page, call):
            yield f"{place_of(first)}{name}: \"{page}\" shows no {call}"
        if len(forms) != 2 or not text_of(others[0]).startswith("The same"):
            yield f"{place_of(first)}{name} has not the two forms, with diagnostics and then without"


def check(folder, source):
    """The complaints about the XML of the reference, and how many names and operations it has."""
    complaints, names, operations = [], 0, {}
    for compound in compounds(folder):
        name = compound.findtext("compoundname")
        if not name.startswith("dockline") or compound.get("prot") in ("private", "protected"):
            continue
        names += 1
        if not text_of(compound):
            complaints.append(f"{place_of(compound)}{compound.get('kind')} {name} is not documented")
        for member in compound.iterfind("sectiondef/memberdef"):
            if member.get("prot") != "public":
                continue
            whole = f"{name}::{member.findtext('name')}"
            if compound.get("kind") == "namespace" and "::async_" in whole:
                operations.setdefault(whole, []).append(member)
            for one in [member, *member.iterfind("enumvalue")]:
                names += 1
                inherited = member.find("reimplements") is not None
                if not text_of(one) and not inherited:
                    what = whole if one is member else f"{whole}::{one.findtext('name')}"
                    complaints.append(f"{place_of(member)}{what} is not documented")
    complaints.extend(complaints_about(operations, source))
    return complaints, names, len(operations)


def main(source, build, version):
    if not shutil.which("doxygen"):
        print("doxygen is missing")
        return 77
    warnings = generate(source, build, version)
    complaints, names, operations = check(build / "reference/xml", source)
    for line in warnings + complaints:
        print(line.replace(f"{source}/", ""))
    print(f"{names} public names, {operations} operations, {len(warnings) + len(complaints)} complaints; "
          f"{build / 'reference/html/index.html'}")
    return 1 if warnings or complaints or operations == 0 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]))
