/**
 * The decorators of a handler's parameters. `@Arg` and `@Args` are Nest's `@Payload`, so pipes, `ValidationPipe` and schemas do
 * with them what they do with a body.
 */
import {
  createParamDecorator,
  type ExecutionContext,
  type ParameterDecoratorOptions,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { LineContext } from './line-context.js';

/** Pipes, or `{ schema, pipes }` with a Standard Schema. */
export type ArgPipe = Type<PipeTransform> | PipeTransform;

/** The arguments that each method's parameters ask for, by the object the methods are declared on. */
const used = new WeakMap<object, Map<string | symbol | undefined, (number | string)[]>>();

/**
 * One argument of the command: a word by its place, from 0, if the command takes `'words'`, or by its name. An optional word, or
 * one of `'words'`, is `undefined` if it was not sent: give the parameter a default, or let a pipe say so.
 *
 * @param which place, or name without the mark of an optional word
 * @param pipes pipes, as with `@Payload`, or `{ schema, pipes }`
 */
export function Arg(
  which: number | string,
  ...pipes: (ArgPipe | ParameterDecoratorOptions)[]
): ParameterDecorator {
  return (target, key, index) => {
    const methods = used.get(target) ?? new Map<string | symbol | undefined, (number | string)[]>();
    used.set(target, methods.set(key, [...(methods.get(key) ?? []), which]));
    const [first, ...others] = pipes;
    if (first === undefined) Payload(String(which))(target, key, index);
    else if (isPipe(first))
      Payload(String(which), first, ...others.filter(isPipe))(target, key, index);
    else Payload(String(which), first)(target, key, index);
  };
}

/**
 * All arguments: an array of words, an object of named words, or the rest of the line, as the command declares. With `{ schema }`
 * or a class as its type it is what the schema or Nest's `ValidationPipe` makes of it.
 */
export function Args(...pipes: ArgPipe[]): ParameterDecorator;
export function Args(options: ParameterDecoratorOptions): ParameterDecorator;
export function Args(...pipes: (ArgPipe | ParameterDecoratorOptions)[]): ParameterDecorator {
  const [first] = pipes;
  return first === undefined || isPipe(first) ? Payload(...pipes.filter(isPipe)) : Payload(first);
}

/** The whole line as it was sent, without the blanks around it. Takes pipes. */
export const RawLine = createParamDecorator(
  (_: unknown, host: ExecutionContext) => host.switchToRpc().getContext<LineContext>().line,
);

/** What `@Arg` was asked for on a method's parameters. */
export function argumentsUsedBy(
  target: object,
  method: string | symbol,
): readonly (number | string)[] {
  return used.get(target)?.get(method) ?? [];
}

function isPipe(value: ArgPipe | ParameterDecoratorOptions): value is ArgPipe {
  return typeof value === 'function' || 'transform' in value;
}
