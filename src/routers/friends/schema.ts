import * as z from 'zod';
import { User } from '@/routers/users/schema';
import { Id } from '@/utils/schema';

export const ListFriendsInput = z.object({});

/** Friends, and who asked or was asked: `status` tells which (contract 4.5). */
export const FriendsOutput = z.object({ friends: z.array(User) });

export const FriendInput = z.object({ uid: Id });
export type FriendInput = z.infer<typeof FriendInput>;

/** The other account after the action; null when there is none, or it is oneself. */
export const FriendOutput = z.object({ user: User.nullable() });
