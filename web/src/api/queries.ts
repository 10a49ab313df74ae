/** What the server knows, kept by TanStack Query. */
import { QueryClient, useQuery } from "@tanstack/react-query";
import { answer, api } from "./client";

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 60_000, retry: 2, refetchOnWindowFocus: false } },
});

export const keys = {
  health: ["health"] as const,
  models: ["models"] as const,
  projects: ["projects"] as const,
  shots: (project: string) => ["shots", project] as const,
  takes: (project: string) => ["takes", project] as const,
  deleted: (project: string) => ["deleted", project] as const,
  take: (take: string) => ["take", take] as const,
  steps: (take: string) => ["steps", take] as const,
  queue: ["queue"] as const,
};

export const fetchTakes = (project: string) =>
  answer(api.GET("/api/projects/{project}/takes", { params: { path: { project } } }));

export const useHealth = () =>
  useQuery({
    queryKey: keys.health,
    queryFn: () => answer(api.GET("/api/health")),
    refetchInterval: (query) => (query.state.data?.worker === "starting" ? 1500 : 15_000),
  });

export const useModels = () =>
  useQuery({
    queryKey: keys.models,
    queryFn: () => answer(api.GET("/api/models")),
    staleTime: Number.POSITIVE_INFINITY,
    // The worker has to look at each model first.
    retry: 200,
    retryDelay: 1500,
  });

export const useProjects = () =>
  useQuery({ queryKey: keys.projects, queryFn: () => answer(api.GET("/api/projects")) });

export const useShots = (project: string | null) =>
  useQuery({
    queryKey: keys.shots(project ?? ""),
    queryFn: () =>
      answer(api.GET("/api/projects/{project}/shots", { params: { path: { project: project as string } } })),
    enabled: project !== null,
  });

export const useTakes = (project: string | null) =>
  useQuery({
    queryKey: keys.takes(project ?? ""),
    queryFn: () => fetchTakes(project as string),
    enabled: project !== null,
  });

export const useDeletedTakes = (project: string) =>
  useQuery({
    queryKey: keys.deleted(project),
    queryFn: () =>
      answer(
        api.GET("/api/projects/{project}/takes", {
          params: { path: { project }, query: { deleted: true } },
        }),
      ),
    staleTime: 0,
  });

export const useTakeDetail = (take: string | null) =>
  useQuery({
    queryKey: keys.take(take ?? ""),
    queryFn: () => answer(api.GET("/api/takes/{take}", { params: { path: { take: take as string } } })),
    enabled: take !== null,
    // A take's shot never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useSteps = (take: string | null) =>
  useQuery({
    queryKey: keys.steps(take ?? ""),
    queryFn: () => answer(api.GET("/api/takes/{take}/steps", { params: { path: { take: take as string } } })),
    enabled: take !== null,
  });

export const useQueue = () =>
  useQuery({ queryKey: keys.queue, queryFn: () => answer(api.GET("/api/queue")) });

/** The take as the list has it. */
export const useTake = (project: string | null, take: string | null) => {
  const takes = useTakes(project);
  return takes.data?.takes.find((candidate) => candidate.id === take) ?? null;
};
