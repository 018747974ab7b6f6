postfix answers:
  debconf.set:
    - name: postfix
    - data:
        'postfix/main_mailer_type': {'type': 'select', 'value': 'Satellite system'}
        'postfix/relayhost': {'type': 'string', 'value': 'mail.example.org'}

postfix:
  pkg.installed:
    - require:
      - debconf: postfix answers
  service.running:
    - enable: True
    - watch:
      - file: /etc/postfix/main.cf

/etc/postfix/main.cf:
  file.managed:
    - source: salt://mail/files/main.cf
    - require:
      - pkg: postfix

/etc/aliases:
  file.append:
    - text: 'root: ops@example.org'

newaliases:
  cmd.wait:
    - watch:
      - file: /etc/aliases
    - require:
      - pkg: postfix
