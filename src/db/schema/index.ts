export * from '@/db/schema/tables';

/** Every table of the database in one object (contract 9). */
export * as schema from '@/db/schema/tables';
