/usr/local/bin/alert:
  file.managed:
    - source: salt://monitoring/files/alert
    - mode: 755

deploy:
  cmd.run:
    - name: /usr/local/bin/deploy
    - onlyif: test -x /usr/local/bin/deploy

tell of failure:
  cmd.run:
    - name: /usr/local/bin/alert "deploy failed"
    - onfail:
      - cmd: deploy
    - require:
      - file: /usr/local/bin/alert

roll back:
  cmd.run:
    - name: /usr/local/bin/rollback
    - onfail_any:
      - cmd: deploy
      - cmd: smoke test

smoke test:
  cmd.run:
    - name: curl -fs http://localhost/health
    - onchanges:
      - cmd: deploy
