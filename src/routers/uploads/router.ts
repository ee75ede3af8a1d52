import { FileIdInput, FileOutput, ListFilesInput, ListFilesOutput, SuccessOutput } from '@/routers/uploads/schema';
import { deleteFile, getFile, listFiles } from '@/routers/uploads/service';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Uploads');

/** Files' facts; their bytes travel by `http/files.ts`. */
export const uploadsRouter = router({
    list: accountProcedure
        .meta(rest('GET', '/v1/uploads', 'List your files, newest first'))
        .input(ListFilesInput)
        .output(ListFilesOutput)
        .query(({ ctx, input }) => listFiles(ctx, input)),
    get: accountProcedure
        .meta(rest('GET', '/v1/uploads/{id}', "Get a file's facts"))
        .input(FileIdInput)
        .output(FileOutput)
        .query(({ ctx, input }) => getFile(ctx, input)),
    delete: accountProcedure
        .meta(rest('DELETE', '/v1/uploads/{id}', 'Delete a file'))
        .input(FileIdInput)
        .output(SuccessOutput)
        .mutation(({ ctx, input }) => deleteFile(ctx, input)),
});
