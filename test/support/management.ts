/**
 * The service with its management port, and asking it.
 */
import { type Service, startService } from './service.js';

/** Where a service says that its management port is. */
export async function managementOf(service: Service): Promise<string> {
  const [, port, host] = await service.logs(/Port manajemen (\d+) aktif di ([\d.]+)\.\n/);
  return `http://${host}:${port}`;
}

/** Starts the service with a management port, and waits until it serves. */
export async function startManaged(
  env: Record<string, string> = {},
  command?: [string, ...string[]],
): Promise<{ service: Service; url: string }> {
  const service = startService({ MANAGEMENT_PORT: '0', ...env }, command);
  const url = await managementOf(service);
  await service.port();
  return { service, url };
}

/** What `/readyz` answers. */
export interface Ready {
  readonly code: number;
  /** Each thing that readiness depends on. */
  readonly details: Record<string, { status: string; [figure: string]: unknown }>;
}

export async function readyz(url: string): Promise<Ready> {
  const response = await fetch(`${url}/readyz`);
  const { details } = (await response.json()) as Ready;
  return { code: response.status, details };
}

/** Every series of `/metrics` with its value, by name and labels as they are written. */
export async function series(url: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`);
  const lines = (await response.text()).split('\n');
  return new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
  );
}
