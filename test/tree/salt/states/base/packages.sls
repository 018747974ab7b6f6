# What is on every machine.
base packages:
  pkg.installed:
    - pkgs:
      - curl
      - git
      - htop
      - tmux
      - vim-nox
      - rsync
      - unzip

nano:
  pkg.removed

python3:
  pkg.installed: []

python3-venv:
  pkg:
    - installed
    - require:
      - pkg: python3
