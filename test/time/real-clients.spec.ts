/** The programs that people really use, against the service as it is started. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { missing } from '../support/programs.js';
import { COVERAGE, type Service, startService } from '../support/service.js';

const JAM = /JAM ([01]\d|2[0-3])(:[0-5]\d){2}/;
const ERROR = 'PERINTAH TIDAK DIKENALI. Gunakan TIME atau QUIT.';

/** Runs a shell script with $PORT; each step is typed when the screen shows what it waits for. */
async function run(
  service: Service,
  script: string,
  typed: { after: RegExp; type: string }[] = [],
): Promise<{ screen: string; code: number | null }> {
  const child = spawn('bash', ['-c', script], {
    env: { ...process.env, PORT: String(await service.port()), TERM: 'dumb', ...COVERAGE },
  });
  let screen = '';
  const steps = [...typed];
  const type = (): void => {
    while (steps[0]?.after.test(screen)) {
      const text = steps.shift()?.type ?? '';
      if (text === '<end>') child.stdin.end();
      else child.stdin.write(text);
    }
  };
  const read = (chunk: Buffer): void => {
    screen += chunk.toString('latin1');
    type();
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  type();
  if (typed.length === 0) child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { screen, code };
}

const inTurn = (connected: RegExp): { after: RegExp; type: string }[] => [
  { after: connected, type: 'TIME\n' },
  { after: /JAM [\d:]{8}/, type: 'time\n' },
  { after: /QUIT\./, type: 'TIME\n' },
  { after: /JAM[^]*JAM [\d:]{8}/, type: 'QUIT\n' },
];

describe('The service is used with', () => {
  it.skipIf(missing('telnet'))('telnet, as recorded with the old service', async () => {
    const { screen } = await run(
      startService(),
      'telnet 127.0.0.1 $PORT',
      inTurn(/Escape character/),
    );
    expect(screen.replace(/\r/g, '').replaceAll(new RegExp(JAM, 'g'), 'JAM hh:mm:ss')).toBe(
      [
        'Trying 127.0.0.1...',
        'Connected to 127.0.0.1.',
        "Escape character is '^]'.",
        'JAM hh:mm:ss',
        ERROR,
        'JAM hh:mm:ss',
        'Connection closed by foreign host.',
        '',
      ].join('\n'),
    );
  });

  it.skipIf(missing('telnet'))('telnet in telnet mode, which negotiates', async () => {
    const { screen } = await run(
      startService(),
      'telnet -- 127.0.0.1 -$PORT',
      inTurn(/Escape character/),
    );
    expect(screen.match(new RegExp(JAM, 'g'))).toHaveLength(2);
    expect(screen).toContain('Connection closed by foreign host.');
  });

  it.skipIf(missing('telnet', 'expect'))(
    'telnet after ^C, which mutes it until it is answered',
    async () => {
      const { screen } = await run(
        startService(),
        `expect -c '
        set timeout 10
        spawn telnet 127.0.0.1 $env(PORT)
        send "TIME\\r"
        expect -re {JAM [0-9:]+} ;# before that, telnet may not have the terminal yet, and ^C would end it
        send "\\003"
        send "TIME\\r"
        expect -re {JAM [0-9:]+} { puts "<told>" } timeout { puts "<muted>" }
        send "QUIT\\r"
        expect eof'`,
      );
      expect(screen).toContain('<told>');
      expect(screen).not.toContain('<muted>');
    },
  );

  it.skipIf(missing('plink'))('PuTTY in telnet mode', async () => {
    const { screen } = await run(
      startService(),
      'plink -telnet -batch 127.0.0.1 -P $PORT',
      inTurn(/^/),
    );
    expect(screen.match(new RegExp(JAM, 'g'))).toHaveLength(2);
    expect(screen).toContain(ERROR);
  });

  it.skipIf(missing('plink'))('PuTTY in raw mode', async () => {
    const { screen } = await run(startService(), 'plink -raw -batch 127.0.0.1 -P $PORT', [
      { after: /^/, type: 'TIME\n' },
      { after: JAM, type: 'QUIT\n' },
      { after: JAM, type: '<end>' },
    ]);
    expect(screen).toMatch(JAM);
  });

  it.skipIf(missing('nc'))('nc, with and without a line end', async () => {
    const service = startService();
    const told = /^JAM [\d:]{8}\r\n$/;
    expect((await run(service, "printf 'TIME\\n' | nc -N 127.0.0.1 $PORT")).screen).toMatch(told);
    expect((await run(service, 'printf TIME | nc -N 127.0.0.1 $PORT')).screen).toMatch(told);
    expect(
      (await run(service, "printf 'TIME\\r\\nQUIT\\r\\n' | nc 127.0.0.1 $PORT")).screen,
    ).toMatch(told);
  });

  it.skipIf(missing('socat'))('socat', async () => {
    const { screen } = await run(
      startService(),
      "printf 'TIME\\nfoo\\nTIME' | socat -t 5 - TCP:127.0.0.1:$PORT",
    );
    expect(screen).toMatch(/^JAM [\d:]{8}\r\nPERINTAH [^\r]*\r\nJAM [\d:]{8}\r\n$/);
  });

  it('bash and /dev/tcp', async () => {
    const { screen } = await run(
      startService(),
      'exec 3<>/dev/tcp/127.0.0.1/$PORT; echo TIME >&3; head -1 <&3; echo QUIT >&3; cat <&3',
    );
    expect(screen).toMatch(/^JAM [\d:]{8}\r\n$/);
  });

  it.skipIf(missing('python3'))(
    'a Python client that sends TIME without a line end and waits',
    async () => {
      const { screen, code } = await run(
        startService(),
        `python3 -c '
import os, socket
s = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=10)
for _ in range(3):
    s.sendall(b"TIME")
    print(s.recv(100))
s.sendall(b"QUIT")
print(s.recv(100))'`,
      );
      expect(code).toBe(0);
      expect(screen).toMatch(/^(b'JAM [\d:]{8}\\r\\n'\n){3}b''\n$/);
    },
  );

  it('npm run ask, which prints one time', async () => {
    const { screen, code } = await run(startService(), 'npm run --silent ask -- 127.0.0.1 $PORT');
    expect(screen).toMatch(/^JAM [\d:]{8}\r\n$/);
    expect(code).toBe(0);
  });

  it('npm run ask, which says so when there is no service', async () => {
    const service = startService();
    await service.port();
    await service.stop();
    const { screen, code } = await run(service, 'npm run --silent ask -- 127.0.0.1 $PORT');
    expect(screen).toMatch(/^No time from 127\.0\.0\.1 port \d+: .*ECONNREFUSED/);
    expect(code).toBe(1);
  });

  it('npm run ask, which says so when the reply is no time', async () => {
    const service = startService({ MAX_CONNECTIONS: '1' });
    const client = await service.connect();
    const { screen, code } = await run(service, 'npm run --silent ask -- 127.0.0.1 $PORT');
    expect(screen).toMatch(
      /^No time from 127\.0\.0\.1 port \d+: .*"SERVER PENUH\. Coba lagi nanti\."/,
    );
    expect(screen.trim()).not.toContain('\n');
    expect(code).toBe(1);
    client.end();
  });
});

describe('The second in a reply', () => {
  it('was current between the request and the reply', async () => {
    const client = await startService({ TIME_ZONE: 'UTC' }).connect();
    for (let sample = 0; sample < 400; sample++) {
      const before = new Date().toISOString().slice(11, 19);
      client.send('TIME\n');
      const told = (await client.line()).slice(4);
      const after = new Date().toISOString().slice(11, 19);
      expect([before, after]).toContain(told);
    }
  });

  it.each(['Asia/Jakarta', 'Asia/Kathmandu', 'America/St_Johns'])(
    'is the local time of TZ=%s as well as of TIME_ZONE',
    async (zone) => {
      const byTz = await startService({ TZ: zone }).connect();
      const bySetting = await startService({ TIME_ZONE: zone }).connect();
      const inZone = (): string => new Date().toLocaleTimeString('en-GB', { timeZone: zone });
      for (const client of [byTz, bySetting]) {
        const before = inZone();
        client.send('TIME\n');
        const told = (await client.line()).slice(4);
        expect([before, inZone()]).toContain(told);
      }
    },
  );
});
