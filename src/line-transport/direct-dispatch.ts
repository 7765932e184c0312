/**
 * Which methods are called directly, and which through Nest's pipeline. A pipeline to which nothing is attached does nothing but
 * wait: about ten promises around a call that takes nanoseconds. Decided once, when Nest registers a handler; whatever is not
 * certain goes through Nest (docs/decisions/0008-direct-dispatch.md).
 */
import { Injectable, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService } from '@nestjs/core';
import { Ctx, type MessageHandler, Payload } from '@nestjs/microservices';
import { RpcContextCreator } from '@nestjs/microservices/context/rpc-context-creator.js';
import { RawLine } from './arg.decorator.js';
import type { LineContext } from './line-context.js';

const NOT_BUILT =
  "is called by a handler that Nest makes for each line (request scope), or that is not Nest's own";

type Method = (...args: unknown[]) => unknown;

/** Calls a method as Nest would: with its arguments and its `this`. */
export interface DirectCall {
  readonly call: (payload: unknown, context: LineContext | undefined) => unknown;
  /** Whether one of the arguments comes out of the context. */
  readonly needsContext: boolean;
}

/** Finds the methods of an application that can be called directly. */
@Injectable()
export class DirectDispatch {
  constructor(private readonly discovery: DiscoveryService) {
    noteHandlers();
  }

  /** @returns how to call a handler's method; or why it goes through Nest's pipeline, as the end of a sentence about it */
  callOf(handler: MessageHandler): DirectCall | string {
    if (!isUnderstood) return 'is on a version of Nest whose decorators are not understood';
    const built = builtHandlers.get(handler);
    if (built === undefined) return NOT_BUILT;
    const { instance, method, name, config } = built;
    const wrapper = this.discovery.getControllers().find((each) => each.instance === instance);
    if (wrapper === undefined) return 'is in a controller of another application';
    if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
      return 'is in request or transient scope';
    }
    const metatype: unknown = wrapper.metatype;
    if (!isMethodOf(method, name, instance, metatype)) return 'is not as its class declares it';
    const reason =
      attachedTo(method, 'has') ??
      attachedTo(metatype, 'is in a class with') ??
      attachedToAll(config);
    if (reason !== undefined) return reason;
    const given = argumentsOf(metatype, name);
    return given === undefined
      ? 'has a parameter with a pipe, a schema or a decorator that is none of the transport'
      : directCall(instance, method, given);
  }
}

/** What Nest has built a handler of. */
interface Built {
  readonly instance: object;
  readonly method: Method;
  readonly name: string;
  readonly config: unknown;
}

const builtHandlers = new WeakMap<MessageHandler, Built>();
let isNoting = false;

/**
 * Nest hands a transport the handlers that it has built, and tells nobody what is in them: the object, its method, and the
 * configuration that holds what `useGlobalGuards()` and its like have attached. All of that is noted where Nest builds them, so a
 * handler that someone has put something around is none of them.
 */
function noteHandlers(): void {
  if (isNoting) return;
  isNoting = true;
  const { prototype } = RpcContextCreator;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this`
  const create = prototype.create;
  prototype.create = function (this: RpcContextCreator, ...args: Parameters<typeof create>) {
    const [instance, method, , name] = args;
    const handler = create.apply(this, args);
    builtHandlers.set(handler, {
      instance,
      method,
      name,
      config: Reflect.get(this, 'applicationConfig'),
    });
    return handler;
  };
}

/** Otherwise it was wrapped, mixed in or instrumented, and what is attached to it may be noted elsewhere. */
function isMethodOf(
  method: Method,
  name: string,
  instance: object,
  metatype: unknown,
): metatype is object {
  const prototype: unknown = Object.getPrototypeOf(instance);
  return (
    typeof metatype === 'function' &&
    instance.constructor === metatype &&
    prototype === metatype.prototype &&
    Reflect.get(metatype.prototype, name) === method
  );
}

function attachedToAll(config: unknown): string | undefined {
  if (!(config instanceof ApplicationConfig)) return 'is in an application that cannot be asked';
  const attached: [what: string, ...found: unknown[][]][] = [
    ['guard', config.getGlobalGuards(), config.getGlobalRequestGuards()],
    ['interceptor', config.getGlobalInterceptors(), config.getGlobalRequestInterceptors()],
    ['pipe', config.getGlobalPipes(), config.getGlobalRequestPipes()],
    ['filter', config.getGlobalFilters(), config.getGlobalRequestFilters()],
    ['pre-request hook', config.getGlobalPreRequestHooks()],
  ];
  const [what] = attached.find(([, ...found]) => found.flat().length > 0) ?? [];
  return what && `is in an application with a global ${what}`;
}

/** What can be attached to a class or a method, and where Nest's own decorators note it. */
const ENHANCERS: readonly (readonly [what: string, key: unknown])[] = [
  ['a guard', keyOf(UseGuards())],
  ['an interceptor', keyOf(UseInterceptors())],
  ['a pipe', keyOf(UsePipes())],
  ['a filter', keyOf(UseFilters())],
];

function keyOf(decorator: ClassDecorator): unknown {
  const probe = keyOf.bind(undefined); // any function that is nobody else's
  decorator(probe);
  return Reflect.getMetadataKeys(probe)[0];
}

function attachedTo(target: object, has: string): string | undefined {
  const [what] = ENHANCERS.find(([, key]) => Reflect.hasMetadata(key, target)) ?? [];
  return what && `${has} ${what}`;
}

type Context = LineContext | undefined;
type Argument = (payload: unknown, context: Context) => unknown;

/** What the transport can supply itself: the decorators that ask Nest for it, and where it is taken from. */
const SUPPLIED: readonly {
  readonly ask: ParameterDecorator;
  readonly needsContext: boolean;
  /** @param data what the decorator was given */
  readonly argument: (data: unknown) => Argument;
}[] = [
  { ask: Payload(), needsContext: false, argument: payloadOrPropertyOf },
  { ask: Ctx(), needsContext: true, argument: () => (_, context) => context },
  { ask: RawLine(), needsContext: true, argument: () => (_, context) => context?.line },
];

function payloadOrPropertyOf(name: unknown): Argument {
  if (typeof name !== 'string' || name === '') return (payload) => payload;
  return (payload) => Reflect.get(Object(payload), name);
}

/** A parameter as Nest's decorators note it. */
interface Noted {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes: readonly unknown[];
  readonly schema?: unknown;
}
const NOTED_FIELDS = new Set(['index', 'data', 'pipes', 'schema', 'factory']);

/** Where parameters are noted, and under which names those that the transport supplies. */
const PARAMETERS = (() => {
  class Probe {
    probe(): void {}
  }
  SUPPLIED.forEach(({ ask }, place) => ask(Probe.prototype, 'probe', place));
  const [key]: unknown[] = Reflect.getMetadataKeys(Probe, 'probe');
  const supplied = new Map<string, (typeof SUPPLIED)[number] | undefined>();
  for (const [name, parameter] of notedUnder(key, Probe, 'probe')) {
    if (isNoted(parameter)) supplied.set(kindOf(name), SUPPLIED[parameter.index]);
  }
  return { key, supplied };
})();

/** Whether the probes have told where everything is noted; otherwise what is attached would not be seen. */
const isUnderstood =
  ENHANCERS.every(([, key]) => key !== undefined) &&
  new Set(PARAMETERS.supplied.values()).size === SUPPLIED.length;

function notedUnder(key: unknown, metatype: object, method: string): [string, unknown][] {
  const noted: unknown = Reflect.getMetadata(key, metatype, method);
  return typeof noted === 'object' && noted !== null ? Object.entries(noted) : [];
}

/** `3:0` is the payload in the first place. */
function kindOf(name: string): string {
  return name.replace(/\d+$/, '');
}

function isNoted(parameter: unknown): parameter is Noted {
  if (typeof parameter !== 'object' || parameter === null) return false;
  if (!Object.keys(parameter).every((field) => NOTED_FIELDS.has(field))) return false;
  if (!('index' in parameter && 'pipes' in parameter)) return false;
  return typeof parameter.index === 'number' && Array.isArray(parameter.pipes);
}

/** What a method is called with; `undefined` if anything else is asked for, or attached to what is. */
function argumentsOf(metatype: object, method: string): DirectArguments | undefined {
  const noted = notedUnder(PARAMETERS.key, metatype, method);
  if (noted.length === 0) return { values: [payloadOrPropertyOf(undefined)], needsContext: false };
  const values: Argument[] = [];
  let needsContext = false;
  for (const [name, parameter] of noted) {
    const supplied = PARAMETERS.supplied.get(kindOf(name));
    if (supplied === undefined || !isNoted(parameter)) return undefined;
    if (parameter.pipes.length > 0 || parameter.schema !== undefined) return undefined;
    values[parameter.index] = supplied.argument(parameter.data);
    needsContext ||= supplied.needsContext;
  }
  return { values, needsContext };
}

interface DirectArguments {
  /** By place; there may be places between them that are not asked for. */
  readonly values: readonly (Argument | undefined)[];
  readonly needsContext: boolean;
}

function directCall(
  instance: object,
  method: Method,
  { values, needsContext }: DirectArguments,
): DirectCall {
  const [first] = values;
  if (values.length === 1 && first !== undefined) {
    return {
      call: (payload, context) => method.call(instance, first(payload, context)),
      needsContext,
    };
  }
  const given = Array.from(values); // without holes
  return {
    call: (payload, context) =>
      method.apply(
        instance,
        given.map((value) => value?.(payload, context)),
      ),
    needsContext,
  };
}
