/**
 * The hooks of a connection: methods of the application's own providers and controllers that are called when a client has
 * connected and when its conversation is over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { LineConnection } from './line-connection.js';
import { LineError } from './line-errors.js';
import type { EndReason } from './line-events.js';
import type { LineReply } from './line-reply.js';

type Hook = 'connect' | 'disconnect';

/** What an `@OnConnect()` method looks like. */
export type ConnectHook = (
  connection: LineConnection,
) => LineReply | Promise<LineReply> | Promise<void> | void;
/** What an `@OnDisconnect()` method looks like. */
export type DisconnectHook = (connection: LineConnection, reason: EndReason) => unknown;

type HookDecorator<Method> = <T extends Method>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

const HookOf = DiscoveryService.createDecorator<Hook>();

let areDeclared = false;

/** Whether any class of this process has a hook: a server without {@link ConnectionHooks} would not call it. */
export function areHooksDeclared(): boolean {
  return areDeclared;
}

function declareHook(hook: Hook): ReturnType<typeof HookOf> {
  areDeclared = true;
  return HookOf(hook);
}

/**
 * Calls the method, of any provider or controller, when a client has connected, and waits for it before the client's first line
 * is served. What it returns is said: a greeting; `closeWith(…)` or `CLOSE` refuses the client. What it throws refuses the client
 * too, in the words of any exception.
 */
export function OnConnect(): HookDecorator<ConnectHook> {
  return declareHook('connect');
}

/**
 * Calls the method, of any provider or controller, when a conversation is over, whatever ended it: once for each client whose
 * `@OnConnect()` methods were begun, and after they are done. A handler that is still running is not waited for: its `signal` is
 * aborted, and `connection.over` is true. A closing server waits for the method within its grace.
 */
export function OnDisconnect(): HookDecorator<DisconnectHook> {
  return declareHook('disconnect');
}

type BoundHook = (connection: LineConnection, reason?: EndReason) => unknown;

/** Finds the hooks of an application and calls them: those of providers, then of controllers, each in the order of their modules. */
@Injectable()
export class ConnectionHooks implements OnModuleInit {
  readonly #hooks: Readonly<Record<Hook, BoundHook[]>> = { connect: [], disconnect: [] };
  /** What is still being done to welcome a client. */
  readonly #welcoming = new WeakMap<LineConnection, Promise<unknown>>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** Also for an application that is initialised and does not listen. */
  onModuleInit(): void {
    this.find();
  }

  /**
   * Finds the hooks, anew if it has found them before. A server asks for it when it listens: a hybrid application may be
   * initialised only after that, and no client is to come in past its hooks.
   * @throws {LineError} `ERR_LINE_HOOK` if a hook's class is in request or transient scope
   */
  find(): void {
    this.#hooks.connect.length = 0;
    this.#hooks.disconnect.length = 0;
    const hosts = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    const seen = new Set<unknown>();
    for (const { instance, ...host } of hosts.map(hostOf)) {
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
      seen.add(instance);
      for (const name of this.scanner.getAllMethodNames(Object.getPrototypeOf(instance))) {
        this.#add(instance, name, host);
      }
    }
  }

  get hasWelcome(): boolean {
    return this.#hooks.connect.length > 0;
  }

  get hasFarewell(): boolean {
    return this.#hooks.disconnect.length > 0;
  }

  /** What the hooks say to a client, and the greeting that follows if none of them has refused it. */
  async *welcome(connection: LineConnection, greeting: unknown): AsyncGenerator {
    for (const hook of this.#hooks.connect) {
      const said = (async () => hook(connection))();
      this.#welcoming.set(connection, Promise.allSettled([said]));
      yield await said;
    }
    yield greeting;
  }

  /**
   * Calls every hook, whatever becomes of the others; none for a client whom no hook has begun to welcome.
   * @param patienceMs how long a hook is waited for that still welcomes the client; 0 is for ever
   */
  async farewell(
    connection: LineConnection,
    reason: EndReason,
    patienceMs: number,
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    const welcoming = this.#welcoming.get(connection);
    if (this.hasWelcome && welcoming === undefined) return;
    await settled(welcoming, patienceMs);
    for (const hook of this.#hooks.disconnect) {
      try {
        await hook(connection, reason);
      } catch (error) {
        onFailure(error);
      }
    }
  }

  #add(instance: object, name: string, host: Pick<Host, 'isStatic' | 'className'>): void {
    const method: unknown = Reflect.get(instance, name);
    if (typeof method !== 'function') return;
    const hook = kindOf(method);
    if (hook === undefined) return;
    if (!host.isStatic) {
      throw new LineError(
        'ERR_LINE_HOOK',
        `${host.className}.${name} is a connection hook, but there is no one instance of ${host.className} to call: ` +
          'move it to a class of the default scope.',
      );
    }
    this.#hooks[hook].push((...args) => Reflect.apply(method, instance, args));
  }
}

async function settled(welcoming: Promise<unknown> | undefined, patienceMs: number): Promise<void> {
  if (patienceMs === 0) {
    await welcoming;
    return;
  }
  const waiting = new AbortController();
  const patience = sleep(patienceMs, undefined, { ref: false, signal: waiting.signal });
  await Promise.race([welcoming, patience.catch(() => undefined)]);
  waiting.abort();
}

interface Host {
  readonly instance: unknown;
  readonly isStatic: boolean;
  readonly className: string;
}

function hostOf(wrapper: ReturnType<DiscoveryService['getProviders']>[number]): Host {
  return {
    instance: wrapper.instance,
    isStatic: wrapper.isDependencyTreeStatic() && !wrapper.isTransient,
    className: String(wrapper.name),
  };
}

function kindOf(method: object): Hook | undefined {
  const kind: unknown = Reflect.getMetadata(HookOf.KEY, method);
  return kind === 'connect' || kind === 'disconnect' ? kind : undefined;
}
