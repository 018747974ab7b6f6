directories:
  file.directory:
    - names:
      - /srv/a
      - /srv/b
    - mode: 755

/srv/b/file:
  file.managed:
    - contents: b
    - require:
      - file: /srv/b

all:
  test.nop:
    - require:
      - file: directories
