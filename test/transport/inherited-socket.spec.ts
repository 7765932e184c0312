/** A server takes over a socket that listens already, opened by whoever started the process. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLineApplication } from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { EchoController } from './controllers.js';

const TRANSPORT = new URL('../../dist/line-transport/index.js', import.meta.url);

/** Listens as descriptor 3, at a path or at any port, says where, and becomes another program when it is told to. */
const OPENER = `
import os, socket, sys
path, program = sys.argv[1], sys.argv[2:]
opened = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
opened.bind(path or ("127.0.0.1", 0))
opened.listen()
os.dup2(opened.fileno(), 3)
os.set_inheritable(3, True)
print(opened.getsockname() if path else opened.getsockname()[1], flush=True)
sys.stdin.readline()
os.execvp(program[0], program)
`;

/** Says where it listens, serves until it is told to end, and closes. */
const SERVER = `
import cluster from 'node:cluster';
import { once } from 'node:events';
import { LineServer } from '${TRANSPORT.href}';

async function serve() {
  const server = new LineServer({ fd: 3 });
  server.addHandler('WHO', async () => (cluster.isWorker ? 'a worker' : 'the only one'));
  server.listen((error, address) => console.log(JSON.stringify(error?.message ?? address)));
  await once(process, 'SIGTERM');
  await server.close();
  if (cluster.isWorker) process.disconnect();
}

if (process.argv[2] !== 'cluster' || cluster.isWorker) await serve();
else {
  const worker = cluster.fork();
  process.once('SIGTERM', () => worker.process.kill('SIGTERM'));
}
`;

/** A process that has opened a socket, and will be a server on it. */
class Heir {
  readonly #lines: AsyncIterator<string>;

  private constructor(private readonly process: ChildProcessWithoutNullStreams) {
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  }

  static open(path = '', ...args: string[]): Heir {
    const file = join(temporaryFolder(), 'server.mjs');
    writeFileSync(file, SERVER);
    const node = [process.execPath, file, ...args];
    const child = spawn('python3', ['-c', OPENER, path, ...node]);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    return new Heir(child);
  }

  /** The next line that it says. */
  async said(): Promise<string> {
    return String((await this.#lines.next()).value);
  }

  /** Has it be a server. @returns what that says of where it listens */
  async serve(): Promise<unknown> {
    this.process.stdin.end('\n');
    return JSON.parse(await this.said());
  }

  /** Tells it to end. @returns its exit code */
  async end(): Promise<unknown> {
    const exit = once(this.process, 'exit');
    this.process.kill();
    const [code] = (await exit) as unknown[];
    return code;
  }
}

describe.skipIf(missing('python3'))('A socket that listens already', () => {
  it('is served, and who came before the server is served, too', async () => {
    const heir = Heir.open();
    const port = Number(await heir.said());
    const early = (await TestClient.connect(port)).end('WHO\n');
    expect(await heir.serve()).toEqual({ address: '127.0.0.1', family: 'IPv4', port });
    const late = (await TestClient.connect(port)).end('WHO\n');
    for (const client of [early, late]) expect(await client.transcript()).toBe('the only one\r\n');
    expect(await heir.end()).toBe(0);
  });

  it('is that of the primary in a worker of node:cluster', async () => {
    const heir = Heir.open('', 'cluster');
    const port = Number(await heir.said());
    expect(await heir.serve()).toMatchObject({ port });
    const client = await TestClient.connect(port);
    expect(await client.end('WHO\n').transcript()).toBe('a worker\r\n');
    expect(await heir.end()).toBe(0);
  });

  it('may be a Unix domain socket, whose file stays when the server is closed', async () => {
    const path = join(temporaryFolder(), 'socket');
    const heir = Heir.open(path);
    expect(await heir.said()).toBe(path);
    expect(await heir.serve()).toBe('fd 3');
    const client = await TestClient.connect({ path });
    expect(await client.end('WHO\n').transcript()).toBe('the only one\r\n');
    expect(await heir.end()).toBe(0);
    expect(existsSync(path)).toBe(true);
  });
});

describe('A descriptor that is no listening socket', () => {
  it.each(['a file', 'nothing'])('is told, with what to do: %s', async (what) => {
    const fd = openSync(join(temporaryFolder(), 'file'), 'w');
    if (what === 'nothing') closeSync(fd);
    const { app } = await createLineApplication([EchoController], { fd });
    await expect(app.listen()).rejects.toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: `Cannot listen on descriptor ${fd}: it is no listening socket; have whoever starts the process open one, or leave fd out (EINVAL).`,
      cause: expect.any(Error),
    });
  });
});
