/**
 * Which methods are called directly, and which through Nest's pipeline. A pipeline to which nothing is attached does nothing but
 * wait: about ten promises around a call that takes nanoseconds. Decided once, when Nest registers a handler; whatever is not
 * certain goes through Nest (docs/decisions/0008-direct-dispatch.md).
 */
import { Injectable, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { RawLine } from './arg.decorator.js';
import { Declaration, type Method } from './command.decorator.js';
import type { LineContext } from './line-context.js';

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
    noteApplications();
  }

  /**
   * To be asked while Nest registers the method's handler.
   * @returns how to call it; or why it goes through Nest's pipeline, as the end of a sentence about it
   */
  callOf(declaredBy: unknown): DirectCall | string {
    if (!(declaredBy instanceof Declaration)) return 'is not declared with @Command()';
    const found = this.#controllersOf(declaredBy);
    const [controller] = found;
    if (controller === undefined || found.length > 1) return 'is in more than one controller';
    const { instance, metatype, isStatic } = controller;
    if (!isStatic) return 'is in request or transient scope';
    const method = declaredBy.methodOf(instance);
    if (method === undefined || !isInstanceOf(instance, metatype)) {
      return 'is not called as its class declares it';
    }
    const reason =
      attachedTo(method, 'has') ?? attachedTo(metatype, 'is in a class with') ?? attachedToAll();
    if (reason !== undefined) return reason;
    const given = argumentsOf(metatype, declaredBy.methodName);
    return given === undefined
      ? 'has a parameter with a pipe, a schema or a decorator that is none of the transport'
      : directCall(instance, method, given);
  }

  #controllersOf(declaredBy: Declaration): Controller[] {
    return this.discovery.getControllers().flatMap((wrapper) => {
      const { instance, metatype }: { instance: unknown; metatype: unknown } = wrapper;
      if (!declaredBy.isIn(instance) || typeof metatype !== 'function') return [];
      const isStatic = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
      return [{ instance, metatype, isStatic }];
    });
  }
}

interface Controller {
  readonly instance: object;
  readonly metatype: object;
  readonly isStatic: boolean;
}

/** What is attached to everything in the application whose handlers are being registered. */
let registering: ApplicationConfig | undefined;
let isNoting = false;

/**
 * An ApplicationConfig tells what `useGlobalGuards()` and its like have attached, but Nest hands none out. It asks the right one
 * for its pre-request hooks when it builds a handler, right before it registers it: which one that is is noted.
 */
function noteApplications(): void {
  if (isNoting) return;
  isNoting = true;
  const { prototype } = ApplicationConfig;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this`
  const hooksOf = prototype.getGlobalPreRequestHooks;
  prototype.getGlobalPreRequestHooks = function (this: ApplicationConfig) {
    // oxlint-disable-next-line typescript/no-this-alias -- which one it is, is all that is wanted
    registering = this;
    return hooksOf.call(this);
  };
}

function attachedToAll(): string | undefined {
  const config = registering;
  registering = undefined; // or that of one application would be taken for that of the next
  if (config === undefined) return 'is in an application that cannot be asked';
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

/** Otherwise the class was wrapped, mixed in or instrumented, and what is attached to it may be noted elsewhere. */
function isInstanceOf(instance: object, metatype: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(instance);
  return instance.constructor === metatype && prototype === Reflect.get(metatype, 'prototype');
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

/** Where parameters are noted, and under which names those that the transport supplies. */
const PARAMETERS = (() => {
  class Probe {
    probe(): void {}
  }
  SUPPLIED.forEach(({ ask }, place) => ask(Probe.prototype, 'probe', place));
  const [key]: unknown[] = Reflect.getMetadataKeys(Probe, 'probe');
  const supplied = Object.entries(notedUnder(key, Probe, 'probe')).map(
    ([name], place) => [kindOf(name), SUPPLIED[place]] as const,
  );
  return { key, supplied: new Map(supplied) };
})();

function notedUnder(key: unknown, metatype: object, method: string): object {
  const noted: unknown = Reflect.getMetadata(key, metatype, method);
  return typeof noted === 'object' && noted !== null ? noted : {};
}

/** `3:0` is the payload in the first place. */
function kindOf(name: string): string {
  return name.replace(/\d+$/, '');
}

function isNoted(parameter: unknown): parameter is Noted {
  if (typeof parameter !== 'object' || parameter === null) return false;
  if (!('index' in parameter && 'pipes' in parameter)) return false;
  return typeof parameter.index === 'number' && Array.isArray(parameter.pipes);
}

/** What a method is called with; `undefined` if anything else is asked for, or attached to what is. */
function argumentsOf(metatype: object, method: string): DirectArguments | undefined {
  const noted = Object.entries(notedUnder(PARAMETERS.key, metatype, method));
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
