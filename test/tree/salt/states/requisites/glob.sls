collect:
  cmd.run:
    - name: cat /etc/app.d/*.conf > /etc/app.conf
    - onchanges:
      - file: /etc/app.d/*

/etc/app.d/10-base.conf:
  file.managed:
    - contents: base
    - makedirs: True

/etc/app.d/20-site.conf:
  file.managed:
    - contents: site
    - makedirs: True

/etc/other.conf:
  file.managed:
    - contents: other
