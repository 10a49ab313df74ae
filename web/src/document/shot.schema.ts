// Generated from docs/shot.schema.json by `npm run types`; do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
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
export type operations = Record<string, never>;
