include:
  - base.motd
  - requisites.bare

exclude:
  - sls: base.motd
  - id: check app

instead:
  file.managed:
    - name: /etc/motd
    - contents: hello
