/** One line to name a project or a shot, new or old. */
import { useState } from "react";
import { answer, api } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { attempt } from "../session/attempt";
import { saveNow } from "../session/saving";
import { sessionNow, setSession } from "../session/session";

async function rename(kind: "project" | "shot", name: string): Promise<void> {
  const { project, shot } = sessionNow();
  if (kind === "project" && project) {
    await answer(api.PATCH("/api/projects/{project}", { params: { path: { project } }, body: { name } }));
    await queryClient.invalidateQueries({ queryKey: keys.projects });
  } else if (kind === "shot" && shot && project) {
    await saveNow();
    const { revision } = sessionNow();
    const view = await answer(
      api.PUT("/api/shots/{shot}", { params: { path: { shot } }, body: { revision, name } }),
    );
    setSession({ revision: view.revision });
    await queryClient.invalidateQueries({ queryKey: keys.shots(project) });
  }
}

export function Rename({
  kind,
  mode,
  name,
  done,
  create,
}: {
  kind: "project" | "shot";
  mode: "new" | "rename";
  name: string;
  done: () => void;
  create: (name: string) => Promise<void>;
}) {
  const [text, setText] = useState(name);
  return (
    <form
      className="naming"
      onSubmit={(event) => {
        event.preventDefault();
        const given = text.trim();
        done();
        if (given) attempt(() => (mode === "new" ? create(given) : rename(kind, given)));
      }}
    >
      <input
        // biome-ignore lint/a11y/noAutofocus: the person asked to write here
        autoFocus
        aria-label={mode === "new" ? `Name of the new ${kind}` : `New name of the ${kind}`}
        placeholder={mode === "new" ? `Name of the new ${kind}` : undefined}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={done}
        onKeyDown={(event) => event.key === "Escape" && done()}
      />
    </form>
  );
}
