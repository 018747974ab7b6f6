/**
 * Lists, checks or unpacks a tar or zip archive. What is asked comes in as a line of JSON on standard
 * input, the archive after it; the answer is JSON, packed, so that long lists are never cut.
 * Nothing is written before the whole archive has been found to be harmless.
 */
export const ARCHIVE_SCRIPT = String.raw`
import base64, io, json, os, posixpath, shutil, stat, sys, tarfile, zipfile, zlib

class Refused(Exception):
    pass

asked = json.loads(sys.stdin.buffer.readline())
password = asked["password"].encode() if asked.get("password") else None

def answer(value):
    packed = zlib.compress(json.dumps(value).encode(), 9)
    sys.stdout.write(base64.b64encode(packed).decode())

class Tar:
    def __init__(self, data):
        self.archive = tarfile.open(fileobj=data)
    def entries(self):
        for info in self.archive:
            kind = "file" if info.isreg() else "directory" if info.isdir() else "symlink" if info.issym() else "hardlink" if info.islnk() else "other"
            yield {"name": info.name, "kind": kind, "mode": info.mode & 0o7777, "mtime": info.mtime, "link": info.linkname, "key": info}
    def open(self, entry):
        return self.archive.extractfile(entry["key"])

class Zip:
    def __init__(self, data):
        self.archive = zipfile.ZipFile(data)
        if password:
            self.archive.setpassword(password)
    def entries(self):
        for info in self.archive.infolist():
            mode = (info.external_attr >> 16) if info.create_system == 3 else 0
            kind = "symlink" if stat.S_ISLNK(mode) else "directory" if info.is_dir() else "file"
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
                kind = "other"
            bits = mode & 0o7777 or (0o755 if kind == "directory" else 0o644)
            if info.flag_bits & 1:
                self.archive.open(info).close() # says so if the password is another one
            link = self.archive.read(info).decode() if kind == "symlink" else ""
            import calendar
            yield {"name": info.filename, "kind": kind, "mode": bits, "mtime": calendar.timegm(info.date_time + (0, 0, 0)), "link": link, "key": info}
    def open(self, entry):
        return self.archive.open(entry["key"])

def opened():
    data = io.BytesIO(sys.stdin.buffer.read())
    wanted = asked.get("format")
    if wanted != "tar" and zipfile.is_zipfile(data):
        return Zip(data)
    data.seek(0)
    if wanted == "zip":
        raise Refused("it is no zip archive")
    try:
        return Tar(data)
    except tarfile.ReadError:
        raise Refused("it is neither a tar nor a zip archive")

def placed(name, entry):
    if name.startswith("/") or "\0" in name or "\n" in name or ".." in name.split("/"):
        raise Refused("%r in it leads out of the directory" % name)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/".join(parts[asked["strip"]:]) or None

def check_link(path, target):
    end = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith("/") or end == ".." or end.startswith("../"):
        raise Refused("the symbolic link %r in it leads out of the directory" % path)

def members(archive):
    found, links, tops = {}, set(), set()
    for entry in archive.entries():
        path = placed(entry["name"], entry)
        top = [part for part in entry["name"].split("/") if part not in ("", ".")]
        if top:
            tops.add((top[0], len(top) > 1 or entry["kind"] == "directory"))
        if path is None:
            continue
        if entry["kind"] == "other":
            raise Refused("%r in it is a device or pipe" % path)
        if entry["mode"] & 0o6000 and entry["kind"] == "file" and asked["perms"]:
            raise Refused("%r in it is a setuid or setgid program (extract_perms: false leaves that out)" % path)
        if entry["kind"] == "symlink":
            check_link(path, entry["link"])
            links.add(path)
        if entry["kind"] == "hardlink":
            entry["link"] = placed(entry["link"], entry)
            if found.get(entry["link"], {}).get("kind") != "file":
                raise Refused("the hard link %r in it leads to no file of it" % path)
        found[path] = entry
    for path in list(found):
        parent = posixpath.dirname(path)
        while parent:
            if parent in links:
                raise Refused("%r in it lies behind a symbolic link" % path)
            if parent in found and found[parent]["kind"] != "directory":
                raise Refused("%r in it lies below a file" % path)
            found.setdefault(parent, {"kind": "directory", "mode": 0o755, "mtime": None})
            parent = posixpath.dirname(parent)
    names = {name for name, _ in tops}
    if asked["toplevel"] and not asked["strip"] and (len(names) != 1 or not any(is_dir for _, is_dir in tops)):
        raise Refused("it does not hold a single directory (enforce_toplevel: false allows that)")
    return found

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
    archive = opened()
    found = members(archive)
    listed = listing(found)
    if asked["do"] == "unpack":
        unpack(archive, found)
        return answer({"members": listed, "missing": [], "stray": None, "differing": []})
    seen = look(listed)
    changed = differing(archive, found, seen["missing"]) if asked["compare"] else []
    answer({"members": listed, "differing": changed, **seen})

try:
    main()
except (Refused, zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, zlib.error) as error:
    answer({"refused": str(error)})
`;
