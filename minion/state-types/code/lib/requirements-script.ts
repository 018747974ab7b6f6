/**
 * Runs in the environment that is looked at, with its own pip's parts, and prints what it lacks as
 * JSON. Reads what is asked on standard input: {files, constraints, packages, deps, latest}, where a file is
 * its path or {text}, and latest maps names to the newest versions that an index has.
 */
export const REQUIREMENTS_SCRIPT = String.raw`
import json, os, re, sys
from importlib.metadata import distributions, PackageNotFoundError
from urllib.parse import urlsplit, urlunsplit

asked = json.load(sys.stdin)

def load_packaging():
    try:
        from pip._vendor.packaging import markers, requirements, utils, version
    except ImportError:
        try:
            from packaging import markers, requirements, utils, version
        except ImportError:
            print(json.dumps({"python": python(), "pip": False, "missing": [], "outdated": []}))
            sys.exit(0)
    return markers, requirements, utils, version

def python():
    return "%d.%d" % sys.version_info[:2]

markers, requirements, utils, version = load_packaging()
installed = {}
for dist in distributions():
    name = dist.metadata["Name"]
    if name:
        installed.setdefault(utils.canonicalize_name(name), dist)

def text_of(path):
    with open(path, encoding="utf-8-sig") as lines:
        return lines.read()

def logical_lines(text):
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        line = re.sub(r"\$\{([A-Z0-9_]+)\}", lambda m: os.environ.get(m.group(1), m.group(0)), line)
        if line:
            yield line

def option(line, short, long):
    match = re.match(r"(?:%s\s*|%s(?:\s+|=))(.+)$" % (short, long), line)
    return match.group(1).strip() if match else None

def read_file(path, wanted, limits, seen):
    path = os.path.abspath(path)
    if path in seen:
        return
    seen.add(path)
    read_text(text_of(path), os.path.dirname(path), wanted, limits, seen)

def read_text(text, below, wanted, limits, seen):
    for line in logical_lines(text):
        nested = option(line, "-r", "--requirement")
        limit = option(line, "-c", "--constraint")
        editable = option(line, "-e", "--editable")
        if nested:
            read_file(os.path.join(below, nested), wanted, limits, seen)
        elif limit:
            read_file(os.path.join(below, limit), limits, limits, seen)
        elif editable:
            wanted.append(editable)
        elif not line.startswith("-"):
            wanted.append(re.split(r"\s--(?:hash|global-option|config-settings|install-option)\b", line)[0].strip())

def plain(url):
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] if parts.scheme.endswith(("http", "https")) else parts.netloc
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))

def came_from(dist):
    text = dist.read_text("direct_url.json")
    return json.loads(text) if text else None

def matches_url(origin, url):
    if origin is None:
        return False
    vcs = origin.get("vcs_info")
    if not vcs:
        return plain(origin["url"]) == plain(url)
    address = re.sub(r"^\w+\+", "", url.partition("#")[0])
    base, at, revision = address.rpartition("@")
    if not at or "/" in revision and base.endswith((":/", "//", "git")):
        base, revision = address, None
    if plain(origin["url"]) != plain(base):
        return False
    return revision in (None, vcs.get("requested_revision"), vcs.get("commit_id"))

def as_requirement(line):
    egg = re.search(r"[#&]egg=([\w.-]+)", line)
    try:
        return requirements.Requirement(line)
    except requirements.InvalidRequirement:
        return requirements.Requirement(egg.group(1)) if egg else None

def from_place(line):
    path = line.partition("#")[0].partition("[")[0]
    url = path if re.match(r"[\w+]+:", path) else "file://" + os.path.abspath(path)
    return any(matches_url(came_from(dist), url) or is_used_in(dist, url) for dist in installed.values())

def is_used_in(dist, url):
    # An older setuptools leaves a link to source code and no word of where it came from.
    place = str(dist.locate_file("")).rstrip("/")
    return url.startswith("file://") and (place + "/").startswith(url[len("file://"):].rstrip("/") + "/")

def holds(dist, specifier):
    try:
        return specifier.contains(version.Version(dist.version), prereleases=True)
    except version.InvalidVersion:
        return str(specifier) in ("", "===" + dist.version)

def lacking(req, extras, seen):
    if req.marker and not any(req.marker.evaluate({"extra": extra}) for extra in (extras or [""])):
        return []
    dist = installed.get(utils.canonicalize_name(req.name))
    if dist is None or not holds(dist, req.specifier):
        return [str(req)]
    if req.url and not matches_url(came_from(dist), req.url):
        return [str(req)]
    key = (utils.canonicalize_name(req.name), tuple(sorted(req.extras)))
    if key in seen or not asked["deps"]:
        return []
    seen.add(key)
    found = []
    for text in dist.requires or []:
        found += lacking(requirements.Requirement(text), [""] + sorted(req.extras), seen)
    return found

wanted, limits = list(asked["packages"]), []
for file in asked["files"]:
    if isinstance(file, str):
        read_file(file, wanted, limits, set())
    else:
        read_text(file["text"], os.getcwd(), wanted, limits, set())
for path in asked["constraints"]:
    read_file(path, limits, limits, set())

latest = {utils.canonicalize_name(name): text for name, text in asked["latest"].items()}

def can_be_newer(req):
    newest = latest.get(utils.canonicalize_name(req.name))
    applies = not req.marker or req.marker.evaluate({"extra": ""})
    return applies and newest is not None and req.specifier.contains(version.Version(newest), prereleases=True)

missing, outdated, seen = [], [], set()
for line in wanted:
    req = as_requirement(line)
    if req is None:
        missing += [] if from_place(line) else [line]
    else:
        missing += lacking(req, [], seen)
        outdated += [utils.canonicalize_name(req.name)] if can_be_newer(req) else []
for line in limits:
    req = as_requirement(line)
    dist = installed.get(utils.canonicalize_name(req.name)) if req else None
    applies = req and (not req.marker or req.marker.evaluate({"extra": ""}))
    if dist is not None and applies and not holds(dist, req.specifier):
        missing.append(str(req))
print(json.dumps({"python": python(), "pip": True, "missing": sorted(set(missing)), "outdated": sorted(set(outdated))}))
`;
