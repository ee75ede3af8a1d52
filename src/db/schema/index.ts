export * from '@/db/schema/tables';

/** Every table and relation of the database in one object, as Drizzle takes them (contract 9). */
export * as schema from '@/db/schema/tables';
