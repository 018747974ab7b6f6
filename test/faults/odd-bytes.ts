import { attempt, sh } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { converges } from './gated-run.ts';

/** Names of files, comments of accounts and contents that are no text: what a run does not own keeps its bytes. */
export const oddBytes: Fault = {
  name: 'file names, user comments and contents with bytes that are no text',
  rounds: null,
  usualMinutes: 1,
  isFast: false,
  run: meetOddBytes,
};

const TREE = '/root/odd';
const PLACE = '/srv/odd';

/** Octal escapes, as printf of the shell reads them: accounts as Latin-1 wrote them, names that are no UTF-8, and a NUL. */
const PREPARE = `
useradd --create-home guest; useradd --create-home owner
sed --in-place "s/^\\(guest:x:[0-9]*:[0-9]*\\):[^:]*/\\1:Jos$(printf '\\351')/" /etc/passwd
sed --in-place "s/^\\(owner:x:[0-9]*:[0-9]*\\):[^:]*/\\1:Ren$(printf '\\351')/" /etc/passwd
rm -rf ${PLACE}; mkdir -p ${PLACE}/lines ${PLACE}/cleaned ${PLACE}/owned ${PLACE}/tidied
for place in cleaned owned tidied; do
  mkdir "${PLACE}/$place/$(printf 'dir\\376')"; touch "${PLACE}/$place/$(printf 'dir\\376')/inside"
done
touch "${PLACE}/lines/$(printf 'new\\nline')"
printf 'one\\000two\\377\\nkey = old\\n' >${PLACE}/bytes
`;

/** These would have to tell of what no report can hold: they are refused as a whole. */
const REFUSED = `
${PLACE}/cleaned:
  file.directory: {clean: true}
${PLACE}/owned:
  file.directory: {user: guest, group: guest, recurse: [user, group]}
${PLACE}/tidied:
  file.tidied: {matches: [".*"], age: 0}
${PLACE}/bytes:
  file.append: {text: last}
`;
const DONE = `
guest:
  user.present: {shell: /bin/bash}
owner:
  user.present: {fullname: "Owner"}
newcomer:
  user.present: {fullname: "Zoë"}
${PLACE}/lines:
  file.directory: {clean: true}
`;
const WORDS = [
  ...['cleaned', 'owned', 'tidied'].map(
    (place) => `Cannot look through "${PLACE}/${place}": the name of a file in it is no UTF-8 text`,
  ),
  `Cannot edit "${PLACE}/bytes": it is no text`,
];
const KEPT = `cd ${PLACE}; ls -lR --quoting-style=c --time-style=full-iso cleaned owned tidied bytes; cat bytes`;

async function meetOddBytes({ site: { appserver }, log }: FaultSetting): Promise<string[]> {
  await sh(appserver, PREPARE);
  await appserver.write(`${TREE}/states/top.yaml`, 'base:\n  "*": [one]\n');
  await appserver.write(`${TREE}/states/one.yaml`, REFUSED + DONE);
  const before = await bytesOf(appserver, KEPT);
  const { output } = await attempt(appserver, ['minion', 'apply', '--tree', TREE]);
  const last = output.trim().split('\n').at(-1) ?? 'nothing was said';
  log(last);
  const lost = WORDS.filter((words) => output.split(words).length !== 2).map(
    (words) => `it does not say once: ${words}`,
  );
  if (!last.includes('8 states: 4 failed, 4 changed')) lost.push(`its report is ${output}`);
  if ((await bytesOf(appserver, KEPT)) !== before) lost.push('what was refused is not as it was');
  const guest = await bytesOf(appserver, 'grep --text ^guest /etc/passwd | cut -d: -f5,7');
  if (guest !== JSON.stringify('Jos\u00e9:/bin/bash\n')) lost.push(`the guest is ${guest}`);
  const there = await sh(appserver, `ls -A ${PLACE}/lines`);
  if (there !== '') lost.push(`what was to go is still there: ${there}`);
  await appserver.write(`${TREE}/states/one.yaml`, DONE);
  return [...lost, ...(await converges(appserver, TREE))];
}

/** What a command prints, byte for byte. */
async function bytesOf(host: Host, command: string): Promise<string> {
  const encoded = await sh(host, `(${command}) | base64 --wrap=0`);
  return JSON.stringify(Buffer.from(encoded, 'base64').toString('latin1'));
}
