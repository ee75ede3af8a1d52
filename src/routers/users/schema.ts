import * as z from 'zod';
import { relationshipStatuses } from '@/db/schema/friends';
import { Avatar } from '@/routers/account/schema';
import { Id, pageSize, text } from '@/utils/schema';

/** What one account is to another (contract 4.5). */
export const RelationshipStatus = z.enum(relationshipStatuses);

/** An account as others see it; `status` is how the caller stands to it (contract 4.5). */
export const User = z.object({
    id: z.string(),
    /** Empty when not given. */
    firstName: z.string(),
    lastName: z.string().nullable(),
    /** The GitHub login, or empty, when there is no username. */
    username: z.string(),
    avatar: Avatar.nullable(),
    bio: z.string().nullable(),
    status: RelationshipStatus,
});
export type User = z.infer<typeof User>;

export const SearchUsersInput = z.object({
    /** Beginning of a username, without case; `%` and `_` are themselves. */
    query: text(100, 1),
    limit: pageSize(50, 10),
});
export type SearchUsersInput = z.infer<typeof SearchUsersInput>;

export const UsersOutput = z.object({ users: z.array(User) });

export const UserIdInput = z.object({ id: Id });
export type UserIdInput = z.infer<typeof UserIdInput>;

export const UserOutput = z.object({ user: User });
