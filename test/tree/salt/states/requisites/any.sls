primary:
  cmd.run:
    - name: ping -c1 primary
    - unless: 'true'

secondary:
  cmd.run:
    - name: ping -c1 secondary
    - unless: 'true'

connect:
  cmd.run:
    - name: /usr/local/bin/connect
    - creates: /run/connected
    - require_any:
      - cmd: primary
      - cmd: secondary

refresh:
  cmd.run:
    - name: /usr/local/bin/refresh
    - onchanges:
      - cmd: connect
    - watch_any:
      - cmd: primary
      - cmd: secondary
