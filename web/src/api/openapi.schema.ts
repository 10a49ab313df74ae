// Generated from docs/openapi.json by `npm run types`; do not edit.
export interface paths {
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the server and its worker are up */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Installed models, what they take and follow
         * @description The first time after an installation this waits a while for the worker to look at each model.
         */
        get: operations["listModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schema/shot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The shot document as a JSON Schema */
        get: operations["getShotSchema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All projects, last changed first
         * @description With `deleted`, those in the bin instead.
         */
        get: operations["listProjects"];
        put?: never;
        /** Make a project */
        post: operations["createProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One project */
        get: operations["getProject"];
        put?: never;
        post?: never;
        /**
         * Put a project into the bin
         * @description Its takes that wait are not begun while it is there. `restoreProject` undoes it.
         */
        delete: operations["deleteProject"];
        options?: never;
        head?: never;
        /** Rename a project */
        patch: operations["renameProject"];
        trace?: never;
    };
    "/api/projects/{project}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a project out of the bin */
        post: operations["restoreProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/shots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shots of a project */
        get: operations["listShots"];
        put?: never;
        /** Put a shot into a project */
        post: operations["createShot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/shots/{shot}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A shot, at its newest or a given revision */
        get: operations["getShot"];
        /**
         * Give a shot a new revision
         * @description 409 where somebody else changed it since the revision named; nothing is overwritten.
         */
        put: operations["changeShot"];
        post?: never;
        /**
         * Put a shot into the bin
         * @description Its takes stay. `restoreShot` undoes it.
         */
        delete: operations["deleteShot"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/shots/{shot}/revisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Revisions of a shot, newest first */
        get: operations["listRevisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/shots/{shot}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a shot out of the bin */
        post: operations["restoreShot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a picture
         * @description The body is the picture file itself: PNG, JPEG or WebP, still, at most 32 MiB, 8192 pixels a side and
         *     40 megapixels. Uploading the same bytes again gives the same answer.
         */
        post: operations["uploadImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/images/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An uploaded picture
         * @description The bytes that were uploaded.
         */
        get: operations["getImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/images/{digest}/shown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An uploaded picture as it is to be shown
         * @description Upright, in sRGB, transparent parts on white: what a model is given.
         */
        get: operations["getShownImage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/shots/{shot}/takes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a take of a shot and queue it
         * @description 422, in one sentence that names the field, where the model cannot do what the shot asks.
         */
        post: operations["createTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/takes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tree of takes of a project */
        get: operations["listTakes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One take and its shot */
        get: operations["getTake"];
        put?: never;
        post?: never;
        /**
         * Put a take into the bin
         * @description It is stopped first if it waits or runs. Its branches stay. `restoreTake` undoes it.
         */
        delete: operations["deleteTake"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/steps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Steps of a take and their previews */
        get: operations["listSteps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/play": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Queue a take to play on
         * @description From where it stands; a stopped, failed or interrupted take goes on at its last checkpoint.
         */
        post: operations["playTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a take after the step it is in
         * @description A running take answers at once, with `asked`, and is `paused` when its step is done: the stream says
         *     when. One that neither waits nor runs stays as it is.
         */
        post: operations["pauseTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a take
         * @description Out of the queue, or out of the run after the step it is in; one that is over stays as it is. 403 where
         *     another client queued it.
         */
        post: operations["stopTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/fork": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go back to a step and branch
         * @description A new take that owns the steps up to `at` and pays for the later ones only; the old one stays.
         */
        post: operations["forkTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pin a take, or let it go */
        post: operations["pinTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/name": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Name a take */
        post: operations["nameTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take a take out of the bin */
        post: operations["restoreTake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/previews/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All frames of a step as one strip
         * @description A PNG, see `Strip` for where the frames are. It never changes and may be cached for ever.
         */
        get: operations["getPreview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/clip.{ending}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The finished clip as a file, the shot inside
         * @description Answers Range requests. 409 while the take is not finished.
         */
        get: operations["getClip"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/still.png": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One frame of a take
         * @description Of the finished clip, or of the take as it was seen at a step.
         */
        get: operations["getStill"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/takes/{take}/picture": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The intermediate picture that instructions made of the image
         * @description What the clip starts from, known as soon as the take is planned. 404 where it starts from none.
         */
        get: operations["getPicture"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What runs and what waits, in order */
        get: operations["getQueue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/queue/order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Reorder one's own waiting takes
         * @description The takes named share out, in the new order, the places they hold now; nobody else's moves.
         */
        put: operations["orderQueue"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/queue/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin no further take
         * @description The one that runs plays on.
         */
        post: operations["pauseQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/queue/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin takes again */
        post: operations["resumeQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Server-sent events of a project
         * @description Every event after `Last-Event-ID`, else after `after`, else from now on; `event:` is the kind, `data:`
         *     an `Event` as JSON. Nothing is left out and nothing comes twice. A comment now and then keeps the line.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events of a project as a list
         * @description The same entries that the stream sends, after the id given.
         */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A project as one file
         * @description Shots, takes, kept checkpoints, previews and pictures.
         */
        get: operations["exportProject"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A project out of a file
         * @description The body is the file that `exportProject` gave. All of it is checked before anything is taken in.
         */
        post: operations["importProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/clips": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The shot inside a clip made by Rehearse
         * @description The body is the file: mp4, webm, gif, apng or png. Its pictures are taken in as images.
         */
        post: operations["readClip"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/prune": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Free room on the disk
         * @description Drops checkpoints that the policy does not keep. Previews, clips and the takes themselves stay.
         */
        post: operations["pruneProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * AbilityView
         * @description An ability of models, as their `abilities` name it.
         */
        AbilityView: {
            /** Name */
            name: string;
            /**
             * Label
             * @description What a model then can do, to follow "can": `follow drags`.
             */
            label: string;
            /** Needed By */
            needed_by: components["schemas"]["Need"][];
        };
        /**
         * ClipShot
         * @description The shot inside a clip.
         */
        ClipShot: {
            shot: components["schemas"]["Shot"];
        };
        /**
         * Defaults
         * @description What a shot gets where it does not say otherwise.
         */
        Defaults: {
            /** Frames */
            frames: number;
            /** Width */
            width: number;
            /** Height */
            height: number;
            /** Fps */
            fps: number;
            /** Steps */
            steps: number;
            /** Guidance */
            guidance: number;
            /** Scheduler */
            scheduler: string;
        };
        /**
         * EventList
         * @description Events in order.
         */
        EventList: {
            /** Events */
            events: (components["schemas"]["ProjectChanged"] | components["schemas"]["ShotChanged"] | components["schemas"]["TakeChanged"] | components["schemas"]["StepTaken"] | components["schemas"]["QueueChanged"])[];
            /**
             * Last
             * @description The id to ask on from.
             */
            last: number;
        };
        /**
         * Expect
         * @description A command that needs nothing more.
         */
        Expect: {
            /**
             * Revision
             * @description The revision this is meant for; 409 if it has moved on. Null: whichever it is.
             */
            revision?: number | null;
        };
        /**
         * Fix
         * @description A way to mend a shot that is one click.
         */
        Fix: {
            /**
             * Label
             * @description What the button says, such as `Set to 16 frames`.
             */
            label: string;
            /**
             * Patch
             * @description What it changes in the shot that the problem was found in.
             */
            patch: components["schemas"]["PatchOperation"][];
        };
        /**
         * Fork
         * @description A branch: goes back to a step of a take and plays on, changed or not.
         */
        Fork: {
            /**
             * At
             * @description Steps taken over, one of the take's `kept_steps`. At 0 anything may change; later, neither model, seed,
             *     size, length, steps nor scheduler.
             */
            at: number;
            /**
             * Shot
             * @description The changed shot; null: the same.
             */
            shot?: {
                [key: string]: unknown;
            } | null;
            /** Until */
            until?: number | null;
            /**
             * Play
             * @default true
             */
            play?: boolean;
            /** Name */
            name?: string | null;
        };
        /**
         * Health
         * @description Whether the server and its worker are up.
         */
        Health: {
            /** Version */
            version: string;
            /**
             * Worker
             * @description starting: its libraries are being loaded.
             * @enum {string}
             */
            worker: "starting" | "idle" | "busy" | "down";
            /**
             * Token
             * @description Whether commands need a token.
             */
            token: boolean;
            /**
             * Trouble
             * @description Why the worker is not up, or why the queue stands still of itself, in one sentence; null if neither.
             */
            trouble?: string | null;
        };
        /**
         * ImageView
         * @description An uploaded picture.
         */
        ImageView: {
            /**
             * Digest
             * @example 0000000000000000000000000000000000000000000000000000000000000000
             */
            digest: string;
            /**
             * Reference
             * @description What a shot calls it: `sha256:<digest>`.
             */
            reference: string;
            /**
             * Media Type
             * @enum {string}
             */
            media_type: "image/png" | "image/jpeg" | "image/webp";
            /**
             * Width
             * @description Of the upright picture, as height.
             */
            width: number;
            /** Height */
            height: number;
            /** Bytes */
            bytes: number;
            /**
             * Notes
             * @description What of the file is left out or guessed at, such as a colour profile that cannot be used.
             */
            notes: string[];
        };
        /**
         * Imported
         * @description What an import brought.
         */
        Imported: {
            project: components["schemas"]["ProjectView"];
            /** Takes */
            takes: number;
            /** Shots */
            shots: number;
        };
        /**
         * KeepPolicy
         * @description Which checkpoints stay: every n-th, the first and the last, and all of pinned takes.
         */
        KeepPolicy: {
            /**
             * Every
             * @default 5
             */
            every?: number;
        };
        /**
         * Limits
         * @description What a model takes.
         */
        Limits: {
            /**
             * Max Frames
             * @description Null: any number.
             */
            max_frames: number | null;
            /**
             * Size Multiple
             * @description Width and height in pixels must be multiples of it.
             */
            size_multiple: number;
            /**
             * Max Tokens
             * @description Length of an encoded prompt, start and end marks included.
             */
            max_tokens: number;
            /**
             * Vocabulary
             * @description The known words of a closed vocabulary, sorted; null: any word.
             */
            vocabulary: string[] | null;
            /**
             * Word Groups
             * @description The same words by kind, to be looked through; empty where any word may be used.
             * @default []
             */
            word_groups?: components["schemas"]["WordGroup"][];
            /**
             * Frame Step
             * @description A clip has 1 frame and a multiple of so many more.
             * @default 1
             */
            frame_step?: number;
            /**
             * Fixed
             * @description Frames, width and height of the one size it takes; null: any.
             */
            fixed?: number[] | null;
        };
        /**
         * ModelList
         * @description The installed models.
         */
        ModelList: {
            /**
             * Ready
             * @description Whether they are known. False where no worker has looked at them yet: ask again in a moment.
             */
            ready: boolean;
            /** Models */
            models: components["schemas"]["ModelView"][];
            /**
             * Abilities
             * @description Every ability there is, with what needs it.
             */
            abilities: components["schemas"]["AbilityView"][];
            /** Schedulers */
            schedulers: string[];
            /**
             * Default
             * @description The model of a shot that names none.
             */
            default: string;
        };
        /**
         * ModelView
         * @description A model that can be given to a shot.
         */
        ModelView: {
            /** Name */
            name: string;
            /** Family */
            family: string;
            /**
             * Abilities
             * @description Instructions it can follow: `image`, `content`, `motion`, `target`, `target.source`, `trajectory.box`,
             *     `trajectory.point`, `trajectory.drag`. And besides: `trajectory.unnamed`, paths that name no words;
             *     `image.later`, a picture at another time than the start; `target_attention` and `frame_alignment`, these
             *     settings.
             */
            abilities: string[];
            /**
             * From Picture
             * @description Whether a clip of it starts from a picture: the shot's, or one made of the prompt first.
             */
            from_picture: boolean;
            /**
             * Shows Picture
             * @description When it can show that picture: at any time of the clip, or as the first frame only.
             */
            shows_picture?: ("any" | "start") | null;
            /**
             * Site Kinds
             * @description Kinds of attention in its denoiser: `cross`, `spatial`, `temporal`, `joint`.
             * @default []
             */
            site_kinds?: string[];
            /**
             * Triggers
             * @description The word that is put before a target's words, by the target's role.
             * @default {}
             */
            triggers?: {
                [key: string]: string;
            };
            /**
             * Says
             * @description What it can do, in a few words.
             */
            says: string;
            defaults: components["schemas"]["Defaults"];
            limits: components["schemas"]["Limits"];
        };
        /**
         * Need
         * @description Something of a shot that needs an ability: an instruction, as far as it is told here, or a setting.
         */
        Need: {
            /**
             * Kind
             * @description Kind of the instruction; null where a setting needs it.
             */
            kind?: string | null;
            /** Form */
            form?: string | null;
            /** Role */
            role?: string | null;
            /**
             * Named
             * @description Whether the instruction names words of the prompt; null: that makes no difference.
             */
            named?: boolean | null;
            /**
             * Later
             * @description Whether it is for another time than the start; null: that makes no difference.
             */
            later?: boolean | null;
            /**
             * Setting
             * @description A field of the shot's `control`.
             */
            setting?: string | null;
        };
        /**
         * NewProject
         * @description A project to make.
         */
        NewProject: {
            /** Name */
            name: string;
        };
        /**
         * NewShot
         * @description A shot to put into a project.
         */
        NewShot: {
            /**
             * Shot
             * @description A shot, finished or not: the structure of Shot, of which any field may be left out, any text be empty and any number out of range. `problems` say what keeps it from being run.
             */
            shot: {
                [key: string]: unknown;
            };
            /**
             * Name
             * @description Null: its prompt.
             */
            name?: string | null;
        };
        /**
         * NewTake
         * @description A take to make of a shot.
         */
        NewTake: {
            /**
             * Revision
             * @description Which revision of the shot; null: the newest.
             */
            revision?: number | null;
            /**
             * Shot
             * @description A changed shot in its place; null: the shot as it stands in that revision.
             */
            shot?: {
                [key: string]: unknown;
            } | null;
            /**
             * Seed
             * @description Another seed; null: the shot's.
             */
            seed?: number | null;
            /**
             * Until
             * @description Pause after this step; null: run to the end.
             */
            until?: number | null;
            /**
             * Play
             * @description Whether it is queued at once; else it waits, paused.
             * @default true
             */
            play?: boolean;
            /** Name */
            name?: string | null;
        };
        /**
         * PatchOperation
         * @description One operation of a JSON Patch (RFC 6902).
         */
        PatchOperation: {
            /**
             * Op
             * @enum {string}
             */
            op: "add" | "replace" | "remove";
            /**
             * Path
             * @description JSON pointer into the shot, such as `/instructions/0/phrase`.
             */
            path: string;
            /** Value */
            value?: unknown;
        };
        /**
         * Pin
         * @description Pin a take, or let it go.
         */
        Pin: {
            /** Pinned */
            pinned: boolean;
            /** Revision */
            revision?: number | null;
        };
        /**
         * Play
         * @description Play a take on.
         */
        Play: {
            /**
             * Until
             * @description Pause after this step; null: run to the end.
             */
            until?: number | null;
            /**
             * Revision
             * @description The take's revision this is meant for; 409 if it has moved on. Null: whichever it is.
             */
            revision?: number | null;
        };
        /**
         * Problem
         * @description What went wrong, with every status from 400 on.
         */
        Problem: {
            /**
             * Error
             * @description One sentence for a person: what is wrong and what to do about it.
             */
            error: string;
            /**
             * Field
             * @description The field at fault, such as `shot.instructions[0].path.keyframes[1].time`; null if none is.
             */
            field?: string | null;
            /**
             * Problems
             * @description Where a shot that is not ready was to be run: all that keeps it from that; else left out.
             */
            problems?: components["schemas"]["ShotProblem"][] | null;
        };
        /**
         * ProjectChange
         * @description Another name for a project.
         */
        ProjectChange: {
            /** Name */
            name: string;
            /**
             * Revision
             * @description The revision it is meant for; 409 if the project has moved on. Null: whichever it is.
             */
            revision?: number | null;
        };
        /**
         * ProjectChanged
         * @description The project itself was renamed, deleted or restored.
         */
        ProjectChanged: {
            /** Id */
            id: number;
            /**
             * Kind
             * @default project
             * @constant
             */
            kind: "project";
            /** At */
            at: number;
            /**
             * Project
             * @example 00000000000000000000000000000000
             */
            project: string;
            /** Name */
            name: string;
            /** Deleted */
            deleted: boolean;
        };
        /**
         * ProjectList
         * @description Projects, last changed first.
         */
        ProjectList: {
            /** Projects */
            projects: components["schemas"]["ProjectView"][];
        };
        /**
         * ProjectView
         * @description A project: shots, their takes, and a stream of events.
         */
        ProjectView: {
            /**
             * Id
             * @example 00000000000000000000000000000000
             */
            id: string;
            /** Name */
            name: string;
            /** Revision */
            revision: number;
            /**
             * Created
             * @description Seconds since 1970, as all times here.
             */
            created: number;
            /** Changed */
            changed: number;
            /** Deleted */
            deleted: boolean;
            /** Shots */
            shots: number;
            /** Takes */
            takes: number;
            /**
             * Last Event
             * @description Id of its last event: follow the stream with `?after=` this, and nothing is missed.
             */
            last_event: number;
        };
        /**
         * Pruned
         * @description What a prune freed, or would free.
         */
        Pruned: {
            /** Checkpoints */
            checkpoints: number;
            /** Files */
            files: number;
            /** Bytes */
            bytes: number;
            /** Done */
            done: boolean;
        };
        /**
         * QueueChanged
         * @description The queue's order changed, or it was paused or resumed.
         */
        QueueChanged: {
            /** Id */
            id: number;
            /**
             * Kind
             * @default queue
             * @constant
             */
            kind: "queue";
            /** At */
            at: number;
            /** Paused */
            paused: boolean;
        };
        /**
         * QueueEntry
         * @description A take that waits or runs.
         */
        QueueEntry: {
            /**
             * Take
             * @example 00000000000000000000000000000000
             */
            take: string;
            /**
             * Project
             * @example 00000000000000000000000000000000
             */
            project: string;
            /** Name */
            name: string;
            /** Prompt */
            prompt: string;
            /** Seed */
            seed: number;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted";
            /**
             * Asked
             * @description What it becomes when the step it is in is done, where somebody has asked.
             */
            asked: ("paused" | "stopped") | null;
            /**
             * Step
             * @description Steps done.
             */
            step: number;
            /**
             * Steps
             * @description Steps of the whole take; 0 until the worker has planned it, where the shot leaves them to the model.
             */
            steps: number;
            /**
             * Seconds Left
             * @description An estimate of how long it has yet to run itself, without those before it; null until it has run.
             */
            seconds_left: number | null;
            /** Client */
            client: string;
            /**
             * Position
             * @description How many wait before it, of all projects; null for one that runs.
             */
            position: number | null;
        };
        /**
         * QueueOrder
         * @description A new order of one's own waiting takes: they share out the places they hold.
         */
        QueueOrder: {
            /** Takes */
            takes: string[];
        };
        /**
         * QueueView
         * @description What runs and what waits, in order.
         */
        QueueView: {
            /**
             * Paused
             * @description Whether no further take is begun.
             */
            paused: boolean;
            /** Length */
            length: number;
            /** Entries */
            entries: components["schemas"]["QueueEntry"][];
        };
        /**
         * Rename
         * @description Name a take.
         */
        Rename: {
            /** Name */
            name: string;
            /** Revision */
            revision?: number | null;
        };
        /**
         * ShotChange
         * @description A new revision of a shot. The old ones stay.
         */
        ShotChange: {
            /**
             * Revision
             * @description The revision that was changed; 409 if the shot has moved on meanwhile.
             */
            revision: number;
            /**
             * Shot
             * @description Null: the same.
             */
            shot?: {
                [key: string]: unknown;
            } | null;
            /**
             * Name
             * @description Null: the same.
             */
            name?: string | null;
        };
        /**
         * ShotChanged
         * @description A shot was made, changed, deleted or restored.
         */
        ShotChanged: {
            /** Id */
            id: number;
            /**
             * Kind
             * @default shot
             * @constant
             */
            kind: "shot";
            /** At */
            at: number;
            shot: components["schemas"]["ShotSummary"];
        };
        /**
         * ShotHistory
         * @description Revisions of a shot, newest first.
         */
        ShotHistory: {
            /** Revisions */
            revisions: components["schemas"]["ShotRevision"][];
        };
        /**
         * ShotList
         * @description Shots of a project, first made first.
         */
        ShotList: {
            /** Shots */
            shots: components["schemas"]["ShotSummary"][];
        };
        /**
         * ShotProblem
         * @description What keeps a shot from being run.
         */
        ShotProblem: {
            /**
             * Field
             * @description Where in the shot, such as `instructions[0].phrase`, `frames` or `prompt`.
             */
            field: string;
            /**
             * Sentence
             * @description For a person.
             */
            sentence: string;
            /**
             * Fixes
             * @description The best first; empty where only a person can say what is meant.
             */
            fixes: components["schemas"]["Fix"][];
        };
        /**
         * ShotRevision
         * @description One revision of a shot.
         */
        ShotRevision: {
            /** Revision */
            revision: number;
            /** Created */
            created: number;
            /**
             * Shot
             * @description A shot, finished or not: the structure of Shot, of which any field may be left out, any text be empty and any number out of range. `problems` say what keeps it from being run.
             */
            shot: {
                [key: string]: unknown;
            };
        };
        /**
         * ShotSummary
         * @description A shot without its document.
         */
        ShotSummary: {
            /**
             * Id
             * @example 00000000000000000000000000000000
             */
            id: string;
            /**
             * Project
             * @example 00000000000000000000000000000000
             */
            project: string;
            /** Name */
            name: string;
            /** Revision */
            revision: number;
            /** Created */
            created: number;
            /** Changed */
            changed: number;
            /** Deleted */
            deleted: boolean;
            /** Prompt */
            prompt: string;
        };
        /**
         * ShotView
         * @description A shot at one revision.
         */
        ShotView: {
            /**
             * Id
             * @example 00000000000000000000000000000000
             */
            id: string;
            /**
             * Project
             * @example 00000000000000000000000000000000
             */
            project: string;
            /** Name */
            name: string;
            /** Revision */
            revision: number;
            /** Created */
            created: number;
            /** Changed */
            changed: number;
            /** Deleted */
            deleted: boolean;
            /** Prompt */
            prompt: string;
            /**
             * Shot
             * @description A shot, finished or not: the structure of Shot, of which any field may be left out, any text be empty and any number out of range. `problems` say what keeps it from being run.
             */
            shot: {
                [key: string]: unknown;
            };
            /**
             * Problems
             * @description What keeps it from being run, as far as can be said without its model; empty: it is ready.
             */
            problems: components["schemas"]["ShotProblem"][];
            /**
             * Notes
             * @description What does not keep it from being run, and will mean less than it seems to.
             */
            notes: components["schemas"]["ShotProblem"][];
            /**
             * Subjects
             * @description What its prompt speaks of: the words that a path or a mark can be bound to.
             */
            subjects: components["schemas"]["Subject"][];
        };
        /**
         * StepList
         * @description Steps that are done, first to last.
         */
        StepList: {
            /** Steps */
            steps: components["schemas"]["StepView"][];
        };
        /**
         * StepTaken
         * @description A denoising step is done, its checkpoint and its preview on the disk.
         */
        StepTaken: {
            /** Id */
            id: number;
            /**
             * Kind
             * @default step
             * @constant
             */
            kind: "step";
            /** At */
            at: number;
            /**
             * Take
             * @example 00000000000000000000000000000000
             */
            take: string;
            /** Step */
            step: number;
            /** Steps */
            steps: number;
            /** Kept */
            kept: boolean;
            preview: components["schemas"]["Strip"];
            /** Seconds */
            seconds: number;
            /** Seconds Left */
            seconds_left: number;
        };
        /**
         * StepView
         * @description One denoising step of a take that is done.
         */
        StepView: {
            /** Step */
            step: number;
            preview: components["schemas"]["Strip"];
            /** @description Fully decoded, where the take paused or ended here. */
            look: components["schemas"]["Strip"] | null;
            /**
             * Kept
             * @description Whether its checkpoint is kept, so that one can branch here.
             */
            kept: boolean;
            /**
             * Inherited
             * @description Whether it was run by the parent.
             */
            inherited: boolean;
            /**
             * Seconds
             * @description How long it took.
             */
            seconds: number | null;
        };
        /**
         * Strip
         * @description All frames of a clip in one picture, side by side, in rows of `columns`, left to right, top down.
         */
        Strip: {
            /**
             * Digest
             * @description `/api/previews/<digest>` gives it.
             * @example 0000000000000000000000000000000000000000000000000000000000000000
             */
            digest: string;
            /** Frames */
            frames: number;
            /** Columns */
            columns: number;
            /**
             * Width
             * @description Of one frame, in pixels.
             */
            width: number;
            /** Height */
            height: number;
        };
        /**
         * Subject
         * @description Words of a prompt that name a thing.
         */
        Subject: {
            /** Phrase */
            phrase: string;
            /**
             * Occurrence
             * @description Which mention of them, where the prompt has several.
             */
            occurrence: number | null;
        };
        /**
         * TakeChanged
         * @description A take was made, changed its status, was renamed, pinned, deleted or restored.
         */
        TakeChanged: {
            /** Id */
            id: number;
            /**
             * Kind
             * @default take
             * @constant
             */
            kind: "take";
            /** At */
            at: number;
            take: components["schemas"]["TakeView"];
        };
        /**
         * TakeDetail
         * @description A take with the shot it shows.
         */
        TakeDetail: {
            /**
             * Id
             * @example 00000000000000000000000000000000
             */
            id: string;
            /**
             * Project
             * @example 00000000000000000000000000000000
             */
            project: string;
            /**
             * Shot
             * @example 00000000000000000000000000000000
             */
            shot: string;
            /**
             * Shot Revision
             * @description The revision it was made from; null where a changed shot was given with the command.
             */
            shot_revision: number | null;
            /** Parent */
            parent: string | null;
            /**
             * Branch Step
             * @description Steps taken over from the parent.
             */
            branch_step: number | null;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted";
            /**
             * Asked
             * @description What it becomes when the step it is in is done, where somebody has asked; null: nobody has.
             */
            asked: ("paused" | "stopped") | null;
            /**
             * Step
             * @description Steps done, those of the parent included.
             */
            step: number;
            /**
             * Steps
             * @description Steps of the whole take; 0 until the worker has planned it, where the shot leaves them to the model.
             */
            steps: number;
            /**
             * Until
             * @description It pauses when this step is done; null: it runs to its end.
             */
            until: number | null;
            /** Seed */
            seed: number;
            /** Model */
            model: string;
            /** Prompt */
            prompt: string;
            /** Name */
            name: string;
            /**
             * Pinned
             * @description A pinned take's checkpoints are never pruned.
             */
            pinned: boolean;
            /**
             * Client
             * @description Who queued it, see the header X-Rehearse-Client.
             */
            client: string;
            /**
             * Error
             * @description Why it failed, was interrupted, or paused of itself, in one sentence.
             */
            error: string | null;
            /**
             * Notes
             * @description What of the shot was not done as it may have been meant, in a sentence each: words not read, ...
             */
            notes: string[];
            /** Revision */
            revision: number;
            /** Created */
            created: number;
            /** Changed */
            changed: number;
            /** Deleted */
            deleted: boolean;
            /**
             * Kept Steps
             * @description Steps it can be branched at; 0 always.
             */
            kept_steps: number[];
            /**
             * Queue Position
             * @description 0: the next one. Null unless it is queued.
             */
            queue_position: number | null;
            /**
             * Seconds Per Step
             * @description As measured in its last steps.
             */
            seconds_per_step: number | null;
            /**
             * Seconds Left
             * @description An estimate, while it runs or waits.
             */
            seconds_left: number | null;
            /**
             * Frames
             * @description Of the clip; null until the worker has planned the take.
             */
            frames: number | null;
            /** Width */
            width: number | null;
            /** Height */
            height: number | null;
            /** Fps */
            fps: number | null;
            /** @description The clip as its last step sees it, at latent size. */
            preview: components["schemas"]["Strip"] | null;
            /** @description Fully decoded: when paused, what it would be; when finished, the clip itself. */
            look: components["schemas"]["Strip"] | null;
            /**
             * Picture
             * @description What the clip starts from: the image as paint, edits and drags have left it, of the clip's size;
             *     `/api/previews/<digest>` gives it. Null where the model starts from no picture, or has not planned yet.
             */
            picture: string | null;
            document: components["schemas"]["Shot"];
        };
        /**
         * TakeList
         * @description The tree of takes of a project, first made first; `parent` says how they hang together.
         */
        TakeList: {
            /** Takes */
            takes: components["schemas"]["TakeView"][];
            /** Last Event */
            last_event: number;
        };
        /**
         * TakeView
         * @description One run of one shot by one model. What it shows never changes; a change makes a branch.
         */
        TakeView: {
            /**
             * Id
             * @example 00000000000000000000000000000000
             */
            id: string;
            /**
             * Project
             * @example 00000000000000000000000000000000
             */
            project: string;
            /**
             * Shot
             * @example 00000000000000000000000000000000
             */
            shot: string;
            /**
             * Shot Revision
             * @description The revision it was made from; null where a changed shot was given with the command.
             */
            shot_revision: number | null;
            /** Parent */
            parent: string | null;
            /**
             * Branch Step
             * @description Steps taken over from the parent.
             */
            branch_step: number | null;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted";
            /**
             * Asked
             * @description What it becomes when the step it is in is done, where somebody has asked; null: nobody has.
             */
            asked: ("paused" | "stopped") | null;
            /**
             * Step
             * @description Steps done, those of the parent included.
             */
            step: number;
            /**
             * Steps
             * @description Steps of the whole take; 0 until the worker has planned it, where the shot leaves them to the model.
             */
            steps: number;
            /**
             * Until
             * @description It pauses when this step is done; null: it runs to its end.
             */
            until: number | null;
            /** Seed */
            seed: number;
            /** Model */
            model: string;
            /** Prompt */
            prompt: string;
            /** Name */
            name: string;
            /**
             * Pinned
             * @description A pinned take's checkpoints are never pruned.
             */
            pinned: boolean;
            /**
             * Client
             * @description Who queued it, see the header X-Rehearse-Client.
             */
            client: string;
            /**
             * Error
             * @description Why it failed, was interrupted, or paused of itself, in one sentence.
             */
            error: string | null;
            /**
             * Notes
             * @description What of the shot was not done as it may have been meant, in a sentence each: words not read, ...
             */
            notes: string[];
            /** Revision */
            revision: number;
            /** Created */
            created: number;
            /** Changed */
            changed: number;
            /** Deleted */
            deleted: boolean;
            /**
             * Kept Steps
             * @description Steps it can be branched at; 0 always.
             */
            kept_steps: number[];
            /**
             * Queue Position
             * @description 0: the next one. Null unless it is queued.
             */
            queue_position: number | null;
            /**
             * Seconds Per Step
             * @description As measured in its last steps.
             */
            seconds_per_step: number | null;
            /**
             * Seconds Left
             * @description An estimate, while it runs or waits.
             */
            seconds_left: number | null;
            /**
             * Frames
             * @description Of the clip; null until the worker has planned the take.
             */
            frames: number | null;
            /** Width */
            width: number | null;
            /** Height */
            height: number | null;
            /** Fps */
            fps: number | null;
            /** @description The clip as its last step sees it, at latent size. */
            preview: components["schemas"]["Strip"] | null;
            /** @description Fully decoded: when paused, what it would be; when finished, the clip itself. */
            look: components["schemas"]["Strip"] | null;
            /**
             * Picture
             * @description What the clip starts from: the image as paint, edits and drags have left it, of the clip's size;
             *     `/api/previews/<digest>` gives it. Null where the model starts from no picture, or has not planned yet.
             */
            picture: string | null;
        };
        /**
         * WordGroup
         * @description Words of a closed vocabulary that are of one kind.
         */
        WordGroup: {
            /**
             * Name
             * @description Such as `Things`, `Colours`, `Motions`, `Places`.
             */
            name: string;
            /**
             * Words
             * @description Words, and phrases of them that belong together, such as `moves right`.
             */
            words: string[];
        };
        /**
         * BlendSettings
         * @description How the prediction under the original and under the edited instructions mix (equation 4).
         *
         *     `eps = w * eps_original + (1 - w) * eps_edited`, w = 1 keeps the original, w = 0 follows the edit.
         */
        BlendSettings: {
            /**
             * Weight
             * @description w everywhere; null = the default.
             * @default null
             */
            weight?: number | null;
            /**
             * Over Time
             * @description w over the clip's frames, straight between keyframes; in place of `weight`.
             * @default null
             */
            over_time?: components["schemas"]["WeightKeyframe"][] | null;
            /**
             * @description Where the edit acts; outside, w is 1. null = everywhere.
             * @default null
             */
            region?: components["schemas"]["Mask"] | null;
            /**
             * Feather
             * @description Width of the region's soft edge, as a fraction of the frame's shorter side; null = the default.
             * @default null
             */
            feather?: number | null;
            /**
             * Original
             * @description Whether the original's predictions are computed anew, or taken from the parent take (cheaper); null =
             *     the default.
             * @default null
             */
            original?: ("computed" | "kept") | null;
        };
        /**
         * Box
         * @description [left, top, right, bottom] as fractions of the frame; left < right, top < bottom
         */
        Box: [
            number,
            number,
            number,
            number
        ];
        /**
         * BoxKeyframe
         * @description Where the box is at one time.
         */
        BoxKeyframe: {
            /**
             * Time
             * @description Fraction of the clip: 0 is the first frame, 1 the last.
             */
            time: number;
            box: components["schemas"]["Box"];
            /**
             * Easing
             * @description How the box moves on from here; null = as the path says.
             * @default null
             */
            easing?: ("linear" | "ease-in" | "ease-out" | "ease-in-out" | "hold") | null;
        };
        /**
         * BoxPath
         * @description A box over time, from keyframes with increasing times; before the first and after the last it stands
         *     still.
         *
         *     `BoxPath([(0, Box(.1, .4, .3, .6)), (1, Box(.7, .4, .9, .6))], easing="ease-in-out")`. One keyframe is a
         *     box at rest.
         *
         *     Raises:
         *         ShotError: no keyframe, times equal, decreasing or outside [0, 1], a box beyond the frame without
         *         `leaves_frame`.
         */
        BoxPath: {
            /** Keyframes */
            keyframes: components["schemas"]["BoxKeyframe"][];
            /**
             * Easing
             * @description How the box moves from each keyframe to the next.
             * @default linear
             * @enum {string}
             */
            easing?: "linear" | "ease-in" | "ease-out" | "ease-in-out" | "hold";
            /**
             * Leaves Frame
             * @description Whether boxes may lie partly or wholly beyond the frame.
             * @default false
             */
            leaves_frame?: boolean;
        };
        /**
         * BoxTrajectory
         * @description A subject stays in a moving box. Where subjects overlap, the later instruction's is in front.
         */
        BoxTrajectory: {
            /**
             * Kind
             * @default trajectory
             * @constant
             */
            kind: "trajectory";
            /**
             * Form
             * @default box
             * @constant
             */
            form: "box";
            /**
             * Phrase
             * @description The words of the prompt that name the subject; null = what the first box holds in the first frame.
             * @default null
             */
            phrase?: string | null;
            /**
             * Occurrence
             * @description Which mention, counted from 1; needed if the prompt mentions it several times.
             * @default null
             */
            occurrence?: number | null;
            path: components["schemas"]["BoxPath"];
        };
        /**
         * ContentInstruction
         * @description An edit of the intermediate picture, in the order of the shot's instructions.
         *
         *     Strokes are painted and turned into picture content by image-to-image; a prompt says what it shall be;
         *     with a mask only that region changes, and without one strokes that have a prompt of their own change what
         *     is round them. Any of the three may stand alone, but a mask needs something to be done in it.
         */
        ContentInstruction: {
            /**
             * Kind
             * @default content
             * @constant
             */
            kind: "content";
            /**
             * Prompt
             * @description What the edited picture (with a mask: the region) shows; null = the shot's prompt.
             * @default null
             */
            prompt?: string | null;
            /**
             * Negative Prompt
             * @default null
             */
            negative_prompt?: string | null;
            /**
             * Strokes
             * @default []
             */
            strokes?: components["schemas"]["Stroke"][];
            /**
             * @description The region that may change; null = everywhere, or round strokes that have a prompt of their own.
             * @default null
             */
            mask?: components["schemas"]["Mask"] | null;
            /**
             * Feather
             * @description Width of the mask's soft edge, as a fraction of the frame's shorter side; null = the default.
             * @default null
             */
            feather?: number | null;
            /**
             * Strength
             * @description How far the edit may depart from what it is laid on (image-to-image strength); null = the model's
             *     default.
             * @default null
             */
            strength?: number | null;
        };
        /**
         * ControlSettings
         * @description Settings of the control methods. Each one left out (null) is decided when the shot is resolved for its
         *     model.
         */
        ControlSettings: {
            /**
             * Frozen Steps
             * @description First denoising steps in which attention is masked: a count (4) or a fraction of all steps (0.1).
             * @default null
             */
            frozen_steps?: number | null;
            /**
             * Mask Sites
             * @description Which attention is masked to keep subjects in their boxes.
             * @default null
             */
            mask_sites?: ("cross" | "spatial" | "temporal")[] | null;
            /**
             * Mask Parts
             * @description In which parts of a UNet attention is masked; a transformer has but one.
             * @default null
             */
            mask_parts?: ("down" | "mid" | "up")[] | null;
            /**
             * Mask Variant
             * @description Peekaboo's masks as the paper has them, or as its released code does (UNets only): that decides the
             *     defaults of sites, parts and inset too.
             * @default null
             */
            mask_variant?: ("paper" | "released") | null;
            /**
             * Mask Inset
             * @description Cells by which boxes are drawn in on every grid of the model: 0 takes the cells whose centres lie in a
             *     box, 0.5 those that lie in it whole.
             * @default null
             */
            mask_inset?: number | null;
            /**
             * Normalization
             * @description Whether masked attention is brought back to the unmasked one's statistics, over the frame or for each
             *     region.
             * @default null
             */
            normalization?: ("none" | "global" | "regional") | null;
            /**
             * Normalization Strength
             * @description 0 leaves the masked output as it is, 1 normalizes fully.
             * @default null
             */
            normalization_strength?: number | null;
            /**
             * Normalization Sites
             * @description Which masked attention is normalized.
             * @default null
             */
            normalization_sites?: ("cross" | "spatial" | "temporal")[] | null;
            /**
             * Temporal Prior
             * @description What is shared along a trajectory at each step: the predicted noise, or the predicted clean picture.
             * @default null
             */
            temporal_prior?: ("none" | "noise" | "x0") | null;
            /**
             * Temporal Prior Strength
             * @default null
             */
            temporal_prior_strength?: number | null;
            /**
             * Temporal Prior Steps
             * @description First denoising steps in which the temporal prior acts: a count or a fraction of all steps.
             * @default null
             */
            temporal_prior_steps?: number | null;
            /**
             * Target Attention
             * @description How far, in logits, attention to a target's words is raised inside its mask and lowered outside; 0 and
             *     null: not at all.
             * @default null
             */
            target_attention?: number | null;
            /**
             * Target Attention Steps
             * @description First denoising steps in which that acts: a count or a fraction of all steps.
             * @default null
             */
            target_attention_steps?: number | null;
            /**
             * Initial Noise
             * @description Whether the starting noise is plain, or carries the trajectory.
             * @default null
             */
            initial_noise?: ("random" | "freetraj") | null;
            /**
             * Frame Alignment
             * @description Whether frames are aligned with the intermediate picture by the learned layer of equation 5.
             * @default null
             */
            frame_alignment?: boolean | null;
            /**
             * @description How original and edit mix, in a fork or under a drag.
             * @default null
             */
            blend?: components["schemas"]["BlendSettings"] | null;
        };
        /**
         * DragMove
         * @description One handle of a drag and where it goes.
         */
        DragMove: {
            /**
             * Handle
             * @description [x, y] where it is taken.
             */
            handle: [
                number,
                number
            ];
            /**
             * Target
             * @description [x, y] where it is let go.
             */
            target: [
                number,
                number
            ];
            /**
             * Via
             * @description Points [x, y] passed on the way, at even speed over the length of the whole way.
             * @default []
             */
            via?: [
                number,
                number
            ][];
        };
        /**
         * DragTrajectory
         * @description A region is dragged: its handles go to their targets, what it bares is painted anew.
         */
        DragTrajectory: {
            /**
             * Kind
             * @default trajectory
             * @constant
             */
            kind: "trajectory";
            /**
             * Form
             * @default drag
             * @constant
             */
            form: "drag";
            /** Moves */
            moves: components["schemas"]["DragMove"][];
            /**
             * @description What is dragged; null = found from the handles.
             * @default null
             */
            region?: components["schemas"]["Mask"] | null;
            /**
             * Start
             * @description Time of the clip at which the drag begins.
             * @default 0
             */
            start?: number;
            /**
             * End
             * @description Time of the clip at which it arrives.
             * @default 1
             */
            end?: number;
            /**
             * Easing
             * @description How it moves from start to end.
             * @default linear
             * @enum {string}
             */
            easing?: "linear" | "ease-in" | "ease-out" | "ease-in-out" | "hold";
            /**
             * Method
             * @description warp: elastic and instant; optimise: motion supervision on the image model's features; null = the
             *     default.
             * @default null
             */
            method?: ("warp" | "optimise") | null;
        };
        /**
         * ImageInstruction
         * @description A picture that the clip starts from, or passes through at another time.
         */
        ImageInstruction: {
            /**
             * Kind
             * @default image
             * @constant
             */
            kind: "image";
            image: components["schemas"]["ImageRef"];
            /**
             * Strength
             * @description How strongly the clip keeps to the picture: 1 as it is, 0 not at all; null = the model's default.
             * @default null
             */
            strength?: number | null;
            /**
             * Time
             * @description When the clip shows it: 0 is the first frame, 1 the last.
             * @default 0
             */
            time?: number;
        };
        /**
         * ImageRef
         * @description A PNG, JPEG or WebP picture: a path relative to the shot file, or a data: URI
         */
        ImageRef: string;
        /**
         * Mask
         * @description A region: a picture (white marks it), a box, a polygon, brush strokes, or several of them together.
         *
         *     Parts add up in the order picture, box, polygon, strokes; erasing strokes take away again.
         *     `Mask(box=Box(.2, .2, .5, .5))`, `Mask(polygon=[(.1, .1), (.4, .1), (.2, .6)])`, `Mask.of("target.png")`.
         *
         *     Raises:
         *         ShotError: no part given, or nothing marked.
         */
        Mask: {
            /**
             * @description A picture over the whole frame: white is marked, black and transparent are not; of a cut-out, what is
             *     opaque, of coloured things on black, these.
             * @default null
             */
            image?: components["schemas"]["ImageRef"] | null;
            /** @default null */
            box?: components["schemas"]["Box"] | null;
            /**
             * Polygon
             * @description Corners [x, y] in order; the last joins the first.
             * @default null
             */
            polygon?: [
                number,
                number
            ][] | null;
            /**
             * Strokes
             * @default []
             */
            strokes?: components["schemas"]["Stroke"][];
            /**
             * Invert
             * @description Whether everything else is meant instead.
             * @default false
             */
            invert?: boolean;
        };
        /**
         * MotionInstruction
         * @description How the clip moves. A shot has at most one.
         */
        MotionInstruction: {
            /**
             * Kind
             * @default motion
             * @constant
             */
            kind: "motion";
            /**
             * Text
             * @description What moves and how; null = the shot's prompt says it.
             * @default null
             */
            text?: string | null;
            /**
             * Magnitude
             * @description How much: small (.25), moderate (.5), large (.75), or a number from 0, still, to 1; null = the model's
             *     default.
             * @default null
             */
            magnitude?: ("small" | "moderate" | "large") | number | null;
            /**
             * Loop
             * @description Whether the last frame leads back to the first.
             * @default false
             */
            loop?: boolean;
            /**
             * Restyle
             * @description Whether the model may change the picture's style to its own, to move more freely.
             * @default false
             */
            restyle?: boolean;
        };
        /**
         * PointKeyframe
         * @description Where the point is at one time.
         */
        PointKeyframe: {
            /**
             * Time
             * @description Fraction of the clip: 0 is the first frame, 1 the last.
             */
            time: number;
            /**
             * Point
             * @description [x, y] as fractions of the frame.
             */
            point: [
                number,
                number
            ];
            /**
             * Easing
             * @description How the point moves on from here; null = as the path says.
             * @default null
             */
            easing?: ("linear" | "ease-in" | "ease-out" | "ease-in-out" | "hold") | null;
        };
        /**
         * PointPath
         * @description A point over time, from keyframes with increasing times; before the first and after the last it stands
         *     still.
         *
         *     `PointPath([(0, (.1, .4)), (1, (.7, .5))])`; a keyframe may also be written `(0, .1, .4)`. One keyframe is
         *     a point at rest: it pins what is there.
         *
         *     Raises:
         *         ShotError: no keyframe, times equal, decreasing or outside [0, 1], a point beyond the frame without
         *         `leaves_frame`.
         */
        PointPath: {
            /** Keyframes */
            keyframes: components["schemas"]["PointKeyframe"][];
            /**
             * Easing
             * @description How the point moves from each keyframe to the next.
             * @default linear
             * @enum {string}
             */
            easing?: "linear" | "ease-in" | "ease-out" | "ease-in-out" | "hold";
            /**
             * Radius
             * @description Reach of the point as a fraction of the frame's shorter side; null = the model's default.
             * @default null
             */
            radius?: number | null;
            /**
             * Leaves Frame
             * @description Whether points may lie beyond the frame.
             * @default false
             */
            leaves_frame?: boolean;
        };
        /**
         * PointTrajectory
         * @description A subject's centre, or what is under the first point, follows a moving point; at rest it is pinned.
         */
        PointTrajectory: {
            /**
             * Kind
             * @default trajectory
             * @constant
             */
            kind: "trajectory";
            /**
             * Form
             * @default point
             * @constant
             */
            form: "point";
            /**
             * Phrase
             * @description The words of the prompt that name the subject; null = what is under the first point in the first frame.
             * @default null
             */
            phrase?: string | null;
            /**
             * Occurrence
             * @description Which mention, counted from 1; needed if the prompt mentions it several times.
             * @default null
             */
            occurrence?: number | null;
            path: components["schemas"]["PointPath"];
        };
        /**
         * Stroke
         * @description A round brush drawn along a polyline: `Stroke([(.2, .5), (.6, .5)], width=.05, colour="red")`.
         *
         *     Raises:
         *         ShotError: no point, an unknown colour, as many pressures as there are no points.
         */
        Stroke: {
            /**
             * Points
             * @description [x, y] as fractions of the frame; the brush may run over its edge. One point is a dot.
             */
            points: [
                number,
                number
            ][];
            /**
             * Width
             * @description Diameter of the brush at full pressure, as a fraction of the frame's shorter side.
             * @default 0.05
             */
            width?: number;
            /**
             * Colour
             * @description #rrggbb; a CSS colour name is taken too and stored as #rrggbb. Masks look at where a stroke is, not at
             *     its colour.
             * @default #000000
             */
            colour?: string;
            /**
             * Opacity
             * @description 0 leaves what is below as it is, 1 covers it.
             * @default 1
             */
            opacity?: number;
            /**
             * Pressure
             * @description Width at each point as a fraction of `width`; null = full width all along.
             * @default null
             */
            pressure?: number[] | null;
            /**
             * Erase
             * @description Whether this stroke takes away what earlier strokes of the same list laid.
             * @default false
             */
            erase?: boolean;
        };
        /**
         * TargetInstruction
         * @description Marks a thing in the first frame as the one a phrase of the prompt means. At most one of each role.
         */
        TargetInstruction: {
            /**
             * Kind
             * @default target
             * @constant
             */
            kind: "target";
            /**
             * Phrase
             * @description The words of the prompt that name it.
             */
            phrase: string;
            /**
             * Occurrence
             * @description Which mention, counted from 1; needed if the prompt mentions it several times.
             * @default null
             */
            occurrence?: number | null;
            /** @description Where it is in the first frame. */
            mask: components["schemas"]["Mask"];
            /**
             * Role
             * @description Whether it is acted upon (target), or acts (source).
             * @default target
             * @enum {string}
             */
            role?: "target" | "source";
        };
        /**
         * WeightKeyframe
         * @description A weight at a time of the clip.
         */
        WeightKeyframe: {
            /** Time */
            time: number;
            /** Weight */
            weight: number;
        };
        /**
         * Shot
         * @description Everything a person asks for, as one immutable document. Every method returns a new shot.
         *
         *     `Shot("a red ball moves right over the meadow", model="theatre-video", seed=7)`. What is left out (None,
         *     in JSON null or absent) is the model's default. Positions are fractions of the frame, times fractions of
         *     the clip.
         *
         *     Raises:
         *         ShotError: a field is unknown or out of range, a phrase is not in the prompt, instructions contradict
         *         each other.
         */
        Shot: {
            /**
             * Version
             * @description Version of this document's format.
             * @default 1
             * @constant
             */
            version?: 1;
            /**
             * Prompt
             * @description What the clip shows.
             */
            prompt: string;
            /**
             * Negative Prompt
             * @description What it shall not show.
             * @default null
             */
            negative_prompt?: string | null;
            /**
             * Model
             * @description A model of the theatre, a hub id or a folder.
             * @default theatre-video
             */
            model?: string;
            /**
             * Seed
             * @description Decides the noise; up to 2^53 - 1, so that a browser carries it exactly.
             * @default 0
             */
            seed?: number;
            /**
             * Frames
             * @description Length of the clip in frames.
             * @default null
             */
            frames?: number | null;
            /**
             * Width
             * @description Pixels.
             * @default null
             */
            width?: number | null;
            /**
             * Height
             * @description Pixels.
             * @default null
             */
            height?: number | null;
            /**
             * Fps
             * @description Frames per second.
             * @default null
             */
            fps?: number | null;
            /**
             * Steps
             * @description Denoising steps.
             * @default null
             */
            steps?: number | null;
            /**
             * Guidance
             * @description Scale of classifier-free guidance; 1 = none.
             * @default null
             */
            guidance?: number | null;
            /**
             * Scheduler
             * @description How a denoising step is taken.
             * @default null
             */
            scheduler?: ("ddim" | "dpm++" | "unipc" | "euler") | null;
            /**
             * Instructions
             * @description What shall happen besides the prompt; later edits are laid over earlier ones, later subjects are in
             *     front.
             * @default []
             */
            instructions?: (components["schemas"]["ImageInstruction"] | components["schemas"]["ContentInstruction"] | components["schemas"]["MotionInstruction"] | (components["schemas"]["BoxTrajectory"] | components["schemas"]["PointTrajectory"] | components["schemas"]["DragTrajectory"]) | components["schemas"]["TargetInstruction"])[];
            /**
             * @description Settings of the methods.
             * @default {
             *       "frozen_steps": null,
             *       "mask_sites": null,
             *       "mask_parts": null,
             *       "mask_variant": null,
             *       "mask_inset": null,
             *       "normalization": null,
             *       "normalization_strength": null,
             *       "normalization_sites": null,
             *       "temporal_prior": null,
             *       "temporal_prior_strength": null,
             *       "temporal_prior_steps": null,
             *       "target_attention": null,
             *       "target_attention_steps": null,
             *       "initial_noise": null,
             *       "frame_alignment": null,
             *       "blend": null
             *     }
             */
            control?: components["schemas"]["ControlSettings"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getShotSchema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listProjects: {
        parameters: {
            query?: {
                deleted?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectList"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProject"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    renameProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectChange"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restoreProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listShots: {
        parameters: {
            query?: {
                deleted?: boolean;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShotList"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createShot: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewShot"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShotView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getShot: {
        parameters: {
            query?: {
                revision?: number | null;
            };
            header?: never;
            path: {
                shot: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShotView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeShot: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                shot: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ShotChange"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShotView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteShot: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                shot: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShotView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRevisions: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path: {
                shot: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShotHistory"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restoreShot: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                shot: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShotView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploadImage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "image/png": string;
                "image/jpeg": string;
                "image/webp": string;
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                    "image/jpeg": string;
                    "image/webp": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getShownImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                    "image/jpeg": string;
                    "image/webp": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                shot: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTake"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listTakes: {
        parameters: {
            query?: {
                deleted?: boolean;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeList"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTake: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeDetail"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSteps: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepList"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    playTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Play"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Expect"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stopTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Expect"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forkTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Fork"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pinTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Pin"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    nameTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rename"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restoreTake: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TakeView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPreview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getClip: {
        parameters: {
            query?: {
                /** @description Offer it as a file to save. */
                download?: boolean;
            };
            header?: never;
            path: {
                take: string;
                ending: "mp4" | "webm" | "gif" | "png";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": string;
                    "video/webm": string;
                    "image/gif": string;
                    "image/png": string;
                };
            };
            /** @description The part asked for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": string;
                    "video/webm": string;
                    "image/gif": string;
                    "image/png": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getStill: {
        parameters: {
            query?: {
                frame?: number;
                step?: number | null;
            };
            header?: never;
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPicture: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                take: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getQueue: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    orderQueue: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueueOrder"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pauseQueue: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resumeQueue: {
        parameters: {
            query?: never;
            header?: {
                /** @description A name for this one command: sent again, it is not done again but answered again. */
                "idempotency-key"?: string | null;
                /** @description Who is asking: a name that a browser makes up once and keeps. What one client has queued, another cannot stop. */
                "x-rehearse-client"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                after?: number | null;
            };
            header?: {
                "last-event-id"?: string | null;
            };
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEvents: {
        parameters: {
            query?: {
                after?: number | null;
                limit?: number;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": string;
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importProject: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/zip": string;
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Imported"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readClip: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClipShot"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pruneProject: {
        parameters: {
            query?: {
                dry_run?: boolean;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeepPolicy"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pruned"];
                };
            };
            /** @description What went wrong */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
