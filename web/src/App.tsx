/** Opens the desk; says why where it cannot be opened. */
import { useEffect, useState } from "react";
import { Desk } from "./desk/Desk";
import { openDesk } from "./session/opening";
import { saveNow } from "./session/saving";
import { Boundary } from "./ui/Boundary";
import { Button } from "./ui/Button";

export function App() {
  const [fault, setFault] = useState<string | null>(null);
  const [ready, setReady] = useState(false);
  const [attempts, setAttempts] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt opens anew
  useEffect(() => {
    setFault(null);
    openDesk().then(
      () => setReady(true),
      (error: Error) => setFault(error.message),
    );
  }, [attempts]);
  if (ready)
    return (
      <Boundary name="The page" className="opening" failed={() => void saveNow().catch(() => undefined)}>
        <Desk />
      </Boundary>
    );
  return (
    <main className="opening">
      <img src="./icon.svg" alt="" width={56} height={56} />
      <h1>Rehearse</h1>
      {fault ? (
        <>
          <p role="alert">{fault}</p>
          <Button tone="primary" onClick={() => setAttempts(attempts + 1)}>
            Try again
          </Button>
        </>
      ) : (
        <p>Opening your project…</p>
      )}
    </main>
  );
}
