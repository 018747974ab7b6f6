guarded:
  cmd.run:
    - name: touch /run/guarded
    - unless:
      - test -e /run/guarded
      - test -e /run/other
    - onlyif: test -d /run
    - creates: /run/guarded
    - check_cmd:
      - test -e /run/guarded
    - failhard: True

retried:
  cmd.run:
    - name: curl -fs https://example.org/feed -o /srv/feed
    - creates: /srv/feed
    - retry:
        attempts: 4
        until: True
        interval: 10
        splay: 5

unguarded:
  cmd.run:
    - name: /usr/local/bin/sync-time
    - success_retcodes: [0, 3]
    - hide_output: True
