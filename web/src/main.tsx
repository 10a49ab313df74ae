import "@fontsource-variable/inter/wght.css";
import "@fontsource/young-serif/latin-400.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/desk.css";
import "./styles/stage.css";
import "./styles/timeline.css";
import "./styles/takes.css";
import "./styles/problems.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { queryClient } from "./api/queries";
import { keepFocus } from "./desk/focus";
import { startFollowing } from "./session/following";
import { followAddress } from "./session/opening";
import { startSaving } from "./session/saving";
import { startTheme } from "./ui/theme";

startTheme();
startSaving();
startFollowing();
keepFocus();
followAddress();
createRoot(document.getElementById("root") as HTMLElement).render(
  <QueryClientProvider client={queryClient}>
    <App />
  </QueryClientProvider>,
);
