/** What the server knows, kept by TanStack Query. */
import { QueryClient, useQuery } from "@tanstack/react-query";
import { answer, api, type Step } from "./client";
import { type TakeList, withAnswer, withSteps } from "./folding";

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 60_000, retry: 2, refetchOnWindowFocus: false } },
});

/** Milliseconds. */
const QUEUE_AGAIN = 3000;

export const keys = {
  health: ["health"] as const,
  models: ["models"] as const,
  projects: ["projects"] as const,
  shots: (project: string) => ["shots", project] as const,
  takes: (project: string) => ["takes", project] as const,
  deleted: (project: string) => ["deleted", project] as const,
  /** Projects and shots in the bin. */
  binned: ["binned"] as const,
  take: (take: string) => ["take", take] as const,
  steps: (take: string) => ["steps", take] as const,
  queue: ["queue"] as const,
};

export async function fetchTakes(project: string): Promise<TakeList> {
  const asked = await answer(api.GET("/api/projects/{project}/takes", { params: { path: { project } } }));
  return withAnswer(queryClient.getQueryData<TakeList>(keys.takes(project)), asked);
}

async function fetchSteps(take: string): Promise<{ steps: Step[] }> {
  const { steps } = await answer(api.GET("/api/takes/{take}/steps", { params: { path: { take } } }));
  return { steps: withSteps(queryClient.getQueryData<{ steps: Step[] }>(keys.steps(take))?.steps, steps) };
}

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
    refetchInterval: (query) => (query.state.data?.ready ? false : 1500),
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

export const useBinnedProjects = () =>
  useQuery({
    queryKey: [...keys.binned, "projects"],
    queryFn: () => answer(api.GET("/api/projects", { params: { query: { deleted: true } } })),
    staleTime: 0,
  });

export const useBinnedShots = (project: string) =>
  useQuery({
    queryKey: [...keys.binned, "shots", project],
    queryFn: () =>
      answer(
        api.GET("/api/projects/{project}/shots", {
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
    queryFn: () => fetchSteps(take as string),
    enabled: take !== null,
  });

/** Asked again and again: takes of other projects stand in it too, and a stream tells of one project only. */
export const useQueue = () =>
  useQuery({
    queryKey: keys.queue,
    queryFn: () => answer(api.GET("/api/queue")),
    refetchInterval: QUEUE_AGAIN,
  });

/** The take as the list has it. */
export const useTake = (project: string | null, take: string | null) => {
  const takes = useTakes(project);
  return takes.data?.takes.find((candidate) => candidate.id === take) ?? null;
};
