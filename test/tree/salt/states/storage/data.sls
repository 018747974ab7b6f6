/srv/data:
  file.directory:
    - makedirs: True
    - mode: 755
  mount.mounted:
    - device: UUID=2f1c7b8e-7c5a-4d7b-9d43-0c2f1f8a1a11
    - fstype: ext4
    - opts:
      - defaults
      - noatime
    - persist: True
    - mkmnt: True
    - require:
      - file: /srv/data

/srv/data/lost+found:
  file.directory:
    - mode: 700
    - require:
      - mount: /srv/data

/mnt/old:
  mount.unmounted:
    - persist: True
