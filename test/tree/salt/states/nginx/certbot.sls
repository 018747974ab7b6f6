certbot:
  pkg.installed:
    - pkgs: [certbot, python3-certbot-nginx]
    - aggregate: True

/etc/letsencrypt/cli.ini:
  file.managed:
    - contents: |
        agree-tos = true
        email = root@example.org
    - require:
      - pkg: certbot

obtain certificate:
  cmd.run:
    - name: certbot certonly --nginx -d shop.example.org
    - creates: /etc/letsencrypt/live/shop.example.org/fullchain.pem
    - require:
      - file: /etc/letsencrypt/cli.ini
    - retry:
        attempts: 3
        interval: 20

certbot renew --quiet:
  cron.present:
    - identifier: certbot-renew
    - minute: random
    - hour: '*/12'
    - user: root
