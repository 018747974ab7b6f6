# A reference may name the whole type.
/etc/one:
  file.managed:
    - contents: '1'

/etc/two:
  file.managed:
    - contents: '2'
    - require:
      - file.managed: /etc/one
    - require_in:
      - file: /etc/three

/etc/three:
  file.managed:
    - contents: '3'
