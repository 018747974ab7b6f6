include:
  - base.packages
  - .motd
  - .ssh

everything of base:
  test.nop:
    - require:
      - sls: base.motd
      - pkg: base packages
