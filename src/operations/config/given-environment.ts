/**
 * The environment as the process was given it. To be imported before what imports ConfigModule, which adds what the .env file says: a
 * worker reads that file itself, as it is then.
 */
export const GIVEN_ENVIRONMENT: Readonly<NodeJS.ProcessEnv> = { ...process.env };
