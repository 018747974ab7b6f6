common:
  file.managed:
    - name: /etc/app/common.conf
    - user: root
    - group: adm
    - mode: 640
    - makedirs: True
    - contents: common

special:
  file.managed:
    - name: /etc/app/special.conf
    - contents: special
    - use:
      - file: common

secret:
  file.managed:
    - name: /etc/app/secret.conf
    - mode: 600
    - use:
      - file: common
