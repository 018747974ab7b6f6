/etc/a.conf:
  file.managed: &owned
    user: root
    group: adm
    mode: 0640
    contents: a

/etc/b.conf:
  file.managed:
    <<: *owned
    contents: b
    require:
      - file: /etc/a.conf
