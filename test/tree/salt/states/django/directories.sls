/srv:
  file.directory:
    - mode: 755

/srv/projects:
  file.directory:
    - user: root
    - group: staff
    - mode: 2775
    - recurse:
      - group
    - require:
      - file: /srv

/srv/environments:
  file.directory:
    - user: root
    - group: staff
    - dir_mode: 2775
    - file_mode: 664
    - recurse:
      - user
      - group
      - mode
    - require:
      - file: /srv

/srv/backups:
  file.directory:
    - user: backup
    - mode: 700
    - clean: False
    - makedirs: True
