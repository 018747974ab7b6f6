include:
  - circle

checkout:
  pkg.installed:
    - name: git
    - require_in:
      - pkg: engine
