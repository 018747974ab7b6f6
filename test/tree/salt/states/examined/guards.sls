deploy:
  cmd.run:
    - name: /usr/local/bin/deploy
    - cwd:
    - env:
      - DEBUG: False
    - use_vt: False
    - unless:
      - fun: file.file_exists
        path: /srv/app/.deployed
      - test -e /srv/app
    - onlyif: []
    - fire_event: True
announce:
  cmd.run:
    - name: wall deployed
    - onchanges:
      - cmd: deploy
