git:
  pkg.installed

dotfiles:
  git.latest:
    - name: https://git.example.org/dotfiles.git
    - target: /opt/dotfiles
    - depth: 1
    - require:
      - pkg: git

/root/.vimrc:
  file.symlink:
    - target: /opt/dotfiles/vimrc
    - force: True
    - require:
      - git: dotfiles

/root/.tmux.conf:
  file.symlink:
    - target: /opt/dotfiles/tmux.conf
    - backupname: /root/.tmux.conf.old
    - require:
      - git: dotfiles
