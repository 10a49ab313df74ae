/** Projects as files. */
import { answer, api } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { say } from "../ui/toasts";
import { openProject } from "./opening";

export async function importProject(file: File): Promise<void> {
  const { project, takes, shots } = await answer(
    api.POST("/api/projects/import", {
      body: file as never,
      bodySerializer: (body: unknown) => body as Blob,
      headers: { "Content-Type": "application/zip" },
    }),
  );
  await queryClient.invalidateQueries({ queryKey: keys.projects });
  const here = `${project.name} is here: ${shots} shot${shots === 1 ? "" : "s"}, ${takes} take${takes === 1 ? "" : "s"}.`;
  say((await openProject(project.id)) ? here : `${here} It is among the projects.`);
}
