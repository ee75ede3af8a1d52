import { SearchUsersInput, UserIdInput, UserOutput, UsersOutput } from '@/routers/users/schema';
import { getUser, searchUsers } from '@/routers/users/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Users');

export const usersRouter = router({
    search: accountProcedure
        .meta(
            rest('GET', '/v1/users/search', 'Find users by the beginning of their username', {
                aliases: [{ path: '/v1/user/search' }],
            }),
        )
        .input(SearchUsersInput)
        .output(UsersOutput)
        .query(({ ctx, input }) => searchUsers(ctx, input)),
    get: accountProcedure
        .meta(rest('GET', '/v1/users/{id}', 'Get a user', { aliases: [{ path: '/v1/user/{id}' }] }))
        .input(UserIdInput)
        .output(UserOutput)
        .query(({ ctx, input }) => getUser(ctx, input)),
});
