/**
 * docs/PROTOCOL.md is true: every transcript on that page, played against the whole service. The notation is explained there.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as silence } from 'node:timers/promises';
import type { INestMicroservice } from '@nestjs/common';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import { LineServer } from '../../src/line-transport/index.js';
import { readSettings, settings } from '../../src/operations/config/settings.js';
import { TestClient } from '../support/line-client.js';

const PAGE = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const LINE_GRACE_MS = 50;
const QUIET_MS = 150;

interface Transcript {
  readonly title: string;
  /** The settings that differ from the defaults, as written: `NAME=value NAME=value`. */
  readonly setup: string;
  readonly steps: readonly Step[];
}

interface Step {
  readonly who: 'C' | 'S';
  /** Bytes as latin1 text, or what is not bytes. */
  readonly what: string;
}

interface Service {
  readonly app: INestMicroservice;
  readonly server: Server;
  readonly port: number;
}

function transcriptsOf(page: string): Transcript[] {
  return [...page.matchAll(/^```transcript(.*)\n([^]*?)^```$/gm)].map(
    ([, setup = '', body = '']) => {
      const [heading = '', ...lines] = body.trimEnd().split('\n');
      if (!heading.startsWith('# ')) throw new Error(`a transcript without a title: ${body}`);
      return { title: heading.slice(2), setup: setup.trim(), steps: inTurns(lines.map(stepOf)) };
    },
  );
}

function stepOf(line: string): Step {
  const [, who, what] = /^([CS]): (.+)$/.exec(line) ?? [];
  if ((who !== 'C' && who !== 'S') || what === undefined) {
    throw new Error(`neither C: nor S: in a transcript: ${line}`);
  }
  return { who, what: what.startsWith('<') ? what : unescaped(what) };
}

/** Answers in a row are one: they may arrive in any number of segments. */
function inTurns(steps: readonly Step[]): Step[] {
  const turns: Step[] = [];
  for (const step of steps) {
    const last = turns.at(-1);
    const isMore = last?.who === 'S' && step.who === 'S' && step.what !== '<FIN>';
    if (isMore) turns.splice(-1, 1, { who: 'S', what: last.what + step.what });
    else turns.push(step);
  }
  return turns;
}

function unescaped(text: string): string {
  const bytes: Record<string, string> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (escape, hex?: string, letter = '') => {
    const byte = hex === undefined ? bytes[letter] : String.fromCharCode(parseInt(hex, 16));
    if (byte === undefined) throw new Error(`no such escape: ${escape}`);
    return byte;
  });
}

/** What was received, with each time of day replaced by the words that stand for it. */
function withoutTimes(received: string): string {
  return received.replace(/JAM (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d/g, 'JAM hh:mm:ss');
}

/** Plays a client's part; every step is complete before the next begins. */
class Playback {
  #sent = 0;
  #taken = 0;

  /** @param peer the server's end of the client's connection */
  constructor(
    private readonly client: TestClient,
    private readonly peer: Socket,
  ) {}

  /** Resolves with the server's part as it was: for each answer of the transcript what came instead, and the end. */
  async play(steps: readonly Step[]): Promise<string[]> {
    const answers: string[] = [];
    for (const { who, what } of [
      ...steps,
      { who: 'C', what: '<FIN>' },
      { who: 'S', what: '<FIN>' },
    ]) {
      if (who === 'S')
        answers.push(await (what === '<FIN>' ? this.#end() : this.#answer(what.length)));
      else if (what === '<FIN>') this.client.end();
      else if (what === '<quiet>') await silence(QUIET_MS);
      else await this.#send(what);
    }
    return answers;
  }

  /** Waits until the server has read it, so that what is sent next comes in another segment. */
  async #send(text: string): Promise<void> {
    const bytes = Buffer.from(text, 'latin1');
    this.#sent += bytes.length;
    this.client.send(bytes);
    while (this.peer.bytesRead < this.#sent) await once(this.peer, 'data');
  }

  async #answer(length: number): Promise<string> {
    const { client } = this;
    while (client.received.length < this.#taken + length && !client.socket.readableEnded) {
      await Promise.race([once(client.socket, 'data'), client.ended()]);
    }
    return this.#take();
  }

  async #end(): Promise<string> {
    await this.client.ended();
    return this.#take() + (this.client.error?.code ?? '<FIN>');
  }

  #take(): string {
    const answer = this.client.received.slice(this.#taken);
    this.#taken += answer.length;
    return withoutTimes(answer);
  }
}

describe('docs/PROTOCOL.md', () => {
  const services = new Map<string, Promise<Service>>();
  const transcripts = transcriptsOf(PAGE);

  afterAll(async () => {
    for (const service of services.values()) await (await service).app.close();
  });

  it('has a transcript in every block that claims to be one', () => {
    expect(transcripts.length).toBeGreaterThan(20);
    expect(transcripts).toHaveLength(PAGE.split('```transcript').length - 1);
    expect(new Set(transcripts.map(({ title }) => title)).size).toBe(transcripts.length);
  });

  it.for(transcripts.map((transcript) => [transcript.title, transcript] as const))(
    '%s',
    async ([, { setup, steps }]) => {
      const starting = services.get(setup) ?? start(setup);
      services.set(setup, starting);
      const { server, port } = await starting;
      const accepted = new Promise<Socket>((resolve) => {
        server.once('connection', resolve);
      });
      const client = await TestClient.connect(port);
      const answers = await new Playback(client, await accepted).play(steps);
      const expected = steps.flatMap(({ who, what }) => (who === 'S' ? what : []));
      expect(answers).toEqual([...expected, '<FIN>']);
    },
  );
});

/** The whole service on a free port, with settings of its own. */
async function start(setup: string): Promise<Service> {
  const given = readSettings({
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'silent',
    LINE_GRACE_MS: String(LINE_GRACE_MS),
    ...Object.fromEntries(setup.split(' ').map((setting) => setting.split('='))),
  });
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(settings.KEY)
    .useValue(given)
    .compile();
  const app = module.createNestMicroservice<AsyncMicroserviceOptions>({
    inject: [LineServer],
    useFactory: (strategy: LineServer) => ({ strategy }),
    logger: false,
  });
  const { port }: AddressInfo = await app.listen();
  return { app, server: app.get(LineServer).unwrap(), port };
}
