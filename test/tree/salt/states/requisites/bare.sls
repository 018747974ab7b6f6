# A bare ID means every state of that ID, of whatever module.
app:
  pkg.installed:
    - name: curl
  file.managed:
    - name: /etc/app.conf
    - contents: a=1
  service.running:
    - name: cron

check app:
  cmd.run:
    - name: curl -fs http://localhost/
    - require:
      - app
