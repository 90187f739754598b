/**
 * What the API says of annotations, as types. Nothing runs here. Places are level-0 pixels.
 *
 * @typedef {"point" | "multipoint" | "polyline" | "rectangle" | "polygon" | "ellipse" | "text"} Kind
 * @typedef {[number, number]} Place
 * @typedef {Place[]} Ring open: its last place is not its first again
 * @typedef {Ring[][]} Parts of a polygon the outer ring and its holes; of others one ring
 * @typedef {{kind: "person" | "import" | "algorithm", name: string, version: string}} Origin
 *
 * @typedef {object} Content
 * @property {Kind} kind
 * @property {Parts} parts
 * @property {string} label
 * @property {string} colour RRGGBB, or empty
 * @property {string} text
 * @property {{name: string, value: number, unit: string}[]} measurements
 * @property {string} group
 * @property {boolean} locked
 *
 * @typedef {object} Known
 * @property {string} annotation_id
 * @property {number} version
 * @property {string} author
 * @property {string} drawn_at
 * @property {Origin} origin
 * @property {string} changed_by
 * @property {string | null} changed_at
 * @property {boolean} removed
 *
 * @typedef {Content & Known} Annotation
 *
 * @typedef {object} Group many that came at once
 * @property {string} group_id
 * @property {Kind} kind
 * @property {number} count
 * @property {string} label
 * @property {string} colour
 * @property {string} group
 * @property {string} author
 * @property {string} drawn_at
 * @property {Origin} origin
 * @property {string} source
 * @property {[number, number, number, number, number][]} blocks how many, and the box around them
 *
 * @typedef {object} AnnotationList
 * @property {number} revision
 * @property {Annotation[]} annotations
 * @property {Group[]} groups
 * @property {Record<string, string>} people
 * @property {{annotate: boolean}} may
 *
 * @typedef {object} Chapter
 * @property {string} kind
 * @property {string} by
 * @property {string} source
 * @property {string} at
 * @property {number} version
 * @property {string[]} changed
 *
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box
 */

export {};
