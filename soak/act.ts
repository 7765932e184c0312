/**
 * Act: something that clients do to the service, in a process of their own, so that what they cost is not measured with what they do.
 * What it is given and what it tells goes from process to process, and is checked on arrival.
 */
import * as v from 'valibot';

/** What an act may be given, and tell. */
type Message<Content> = v.GenericSchema<unknown, Content>;

export interface Act<Task, Told> {
  readonly name: string;
  readonly Task: Message<Task>;
  readonly Told: Message<Told>;
  /** Called in the process of the clients. */
  perform(port: number, task: unknown): Promise<Told>;
}

/** @param run what the clients do with the service that listens on this port */
export function act<Task, Told>(
  name: string,
  messages: { readonly Task: Message<Task>; readonly Told: Message<Told> },
  run: (port: number, task: Task) => Promise<Told>,
): Act<Task, Told> {
  return { name, ...messages, perform: (port, task) => run(port, v.parse(messages.Task, task)) };
}
