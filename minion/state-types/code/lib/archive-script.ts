import { ARCHIVE_READING } from './archive-reading.ts';

/**
 * Lists, checks or unpacks a tar or zip archive. What is asked comes in as a line of JSON on standard
 * input, the archive after it; the answer is JSON, packed, so that long lists are never cut.
 * Nothing is written before the whole archive has been read, and found to be whole and harmless.
 */
export const ARCHIVE_SCRIPT = String.raw`${ARCHIVE_READING}
def answer(value):
    packed = zlib.compress(json.dumps(value).encode(), 9)
    sys.stdout.write(base64.b64encode(packed).decode())

def kind_of(entry):
    return "file" if entry["kind"] == "hardlink" else entry["kind"]

def listing(found):
    return [[kind_of(found[path])[0], path] for path in sorted(found)]

def unpack(archive, found):
    root, uid, gid, perms = asked["into"], asked["uid"], asked["gid"], asked["perms"]
    umask = 0 if perms else 0o022
    made = []
    for path in sorted(found):
        entry = found[path]
        place = os.path.join(root, path)
        mode = entry["mode"] & 0o7777 if perms else (0o755 if entry["kind"] == "directory" or entry["mode"] & 0o100 else 0o644)
        if entry["kind"] == "directory":
            os.mkdir(place, 0o700)
        elif entry["kind"] == "symlink":
            os.symlink(entry["link"], place)
        else:
            source = found[entry["link"]] if entry["kind"] == "hardlink" else entry
            with archive.open(source) as content, open(place, "xb") as target:
                shutil.copyfileobj(content, target)
                target.flush()
                os.fsync(target.fileno())
        os.lchown(place, uid, gid)
        made.append((place, entry, mode & 0o1777 & ~umask))
    for place, entry, mode in reversed(made):
        if entry["kind"] != "symlink":
            os.chmod(place, mode)
            if entry["mtime"] is not None:
                os.utime(place, (entry["mtime"], entry["mtime"]))

def same(archive, entry, place):
    if entry["kind"] == "symlink":
        return os.readlink(place) == entry["link"]
    with archive.open(entry) as left, open(place, "rb") as right:
        while True:
            a, b = left.read(65536), right.read(65536)
            if a != b:
                return False
            if not a:
                return True

def look(listed):
    missing, stray = [], None
    for letter, path in listed:
        try:
            status = os.lstat(os.path.join(asked["at"], path))
        except (FileNotFoundError, NotADirectoryError):
            missing.append(path)
            continue
        kind = "d" if stat.S_ISDIR(status.st_mode) else "s" if stat.S_ISLNK(status.st_mode) else "f" if stat.S_ISREG(status.st_mode) else "o"
        if kind != letter:
            missing.append(path)
        elif stray is None and (asked["uid"] not in (-1, status.st_uid) or asked["gid"] not in (-1, status.st_gid)):
            stray = [status.st_uid, status.st_gid]
    return {"missing": missing, "stray": stray}

def differing(archive, found, missing):
    lost = set(missing)
    there = [path for path in sorted(found) if path not in lost and found[path]["kind"] != "directory"]
    real = lambda entry: found[entry["link"]] if entry["kind"] == "hardlink" else entry
    return [path for path in there if not same(archive, real(found[path]), os.path.join(asked["at"], path))]

def main():
    if asked["do"] == "look":
        return answer({"members": [], "differing": [], **look(asked["members"])})
    archive, found = whole()
    listed = listing(found)
    if asked["do"] == "unpack":
        unpack(archive, found)
        return answer({"members": listed, "missing": [], "stray": None, "differing": []})
    seen = look(listed)
    changed = differing(archive, found, seen["missing"]) if asked["compare"] else []
    answer({"members": listed, "differing": changed, **seen})

try:
    main()
except (Refused, RuntimeError) as error:
    answer({"refused": str(error)})
`;
