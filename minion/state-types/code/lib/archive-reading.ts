/**
 * The part of the script that reads an archive: its entries by where they belong, once all of it has been read and found
 * to be whole and harmless.
 */
export const ARCHIVE_READING = String.raw`
import base64, io, json, lzma, os, posixpath, shutil, stat, sys, tarfile, zipfile, zlib

class Refused(Exception):
    pass

asked = json.loads(sys.stdin.buffer.readline())
password = asked["password"].encode() if asked.get("password") else None

class Tar:
    def __init__(self, data):
        self.archive = tarfile.open(fileobj=data)
        self.is_packed = self.archive.fileobj is not data
    def entries(self):
        for info in self.archive:
            kind = "file" if info.isreg() else "directory" if info.isdir() else "symlink" if info.issym() else "hardlink" if info.islnk() else "other"
            yield {"name": info.name, "kind": kind, "mode": info.mode & 0o7777, "mtime": info.mtime, "link": info.linkname, "key": info}
    def open(self, entry):
        return self.archive.extractfile(entry["key"])
    def check(self):
        # Python takes a header that it cannot read for the end: only zeros are one.
        data = self.archive.fileobj
        data.seek(self.archive.offset)
        end = data.read(512)
        # Some write no mark; that a packed one is whole, its checksum says.
        if len(end) < 512 and not (self.is_packed and end == b""):
            raise Refused("it is cut off: the mark of its end is missing")
        if any(end):
            raise Refused("it is damaged: what comes after %r is no header" % self.archive.members[-1].name)
        while data.read(1 << 20):
            pass # to the end, where what it was packed by keeps its checksum

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
    def check(self):
        damaged = self.archive.testzip()
        if damaged is not None:
            raise Refused("it is damaged: %r in it is not what its checksum says" % damaged)

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

def members(entries):
    found, links, tops = {}, set(), set()
    for entry in entries:
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
    if tops and not found:
        raise Refused("nothing of it is left without its first %d directories (strip)" % asked["strip"])
    names = {name for name, _ in tops}
    if asked["toplevel"] and not asked["strip"] and (len(names) != 1 or not any(is_dir for _, is_dir in tops)):
        raise Refused("it does not hold a single directory (enforce_toplevel: false allows that)")
    return found

DAMAGED = (EOFError, OSError, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error)

def whole():
    try:
        archive = opened()
        entries = list(archive.entries())
        archive.check()
    except DAMAGED as error:
        raise Refused("it is damaged: %s" % error)
    return archive, members(entries)
`;
