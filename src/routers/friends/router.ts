import { FriendInput, FriendOutput, FriendsOutput, ListFriendsInput } from '@/routers/friends/schema';
import { addFriend, listFriends, removeFriend } from '@/routers/friends/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Friends');

export const friendsRouter = router({
    list: accountProcedure
        .meta(rest('GET', '/v1/friends', 'List your friends and open requests'))
        .input(ListFriendsInput)
        .output(FriendsOutput)
        .query(({ ctx }) => listFriends(ctx)),
    add: accountProcedure
        .meta(rest('POST', '/v1/friends/add', 'Ask somebody to be friends, or accept their request'))
        .input(FriendInput)
        .output(FriendOutput)
        .mutation(({ ctx, input }) => addFriend(ctx, input)),
    remove: accountProcedure
        .meta(rest('POST', '/v1/friends/remove', 'End a friendship, withdraw a request or turn one down'))
        .input(FriendInput)
        .output(FriendOutput)
        .mutation(({ ctx, input }) => removeFriend(ctx, input)),
});
