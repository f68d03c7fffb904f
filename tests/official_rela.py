"""ReLA under its authors' names, tiny, and their forward pass in our words."""

import torch
from official_llava import large, picture
from official_mask2former import QUERIES, WIDTH, OfficialMask2Former, attend
from official_weights import Official
from torch.nn import functional

from askmask.models.hub.loading import transformers
from askmask.models.hub.preprocessing import SAM2

SIDE, SAID = 128, 64


class OfficialRela(OfficialMask2Former):
    """The authors' forward pass, in our words."""

    normed = ("", ".norm")

    def __init__(self, folder):
        library = transformers()
        torch.manual_seed(0)
        super().__init__(Official(gain=0.5))
        self.tokenizer = _tokenizer()
        self.tokenizer.save_pretrained(folder / "bert")
        config = library.BertConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=SAID,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=1,
            max_position_embeddings=32,
        )
        self.bert = large(library.BertModel(config, add_pooling_layer=False)).eval()

    def save(self, path):
        bert = {f"text_encoder.{name}": value for name, value in self.bert.state_dict().items()}
        position = {"text_encoder.embeddings.position_ids": torch.arange(32)[None]}
        model = {
            name: value.clone() for name, value in {**bert, **self.weights, **position}.items()
        }
        torch.save({"model": model, "iteration": 7, "optimizer": {"state": {}}}, path)

    def answer(self, sentence):
        """Logits (2, 32, 32), and (2,) whether nothing is meant."""
        w, name = self.weights, "sem_seg_head.predictor."
        ids = self.tokenizer(sentence).input_ids[:20]
        heard = torch.tensor([1] * len(ids) + [0] * (20 - len(ids)))
        ids = torch.tensor([ids + [0] * (20 - len(ids))])
        words = self.bert(ids, attention_mask=heard[None]).last_hidden_state[0]
        features = self.eyes(
            SAM2.pixels(picture(), SIDE),
            "backbone.",
            lambda layer, x, more: self.told(layer, x, more, words, heard),
        )
        levels, pixels = self.decoded(features, "sem_seg_head.pixel_decoder.")
        place = w.made(f"{name}query_feat.weight", QUERIES, WIDTH)
        hear = functional.linear(words, w.made(f"{name}lang_proj.weight", WIDTH, SAID))

        def listen(states):
            told = attend(w, f"{name}RLA_lang_att.multihead_attn", states, hear, hear)
            told = w.norm(f"{name}RLA_lang_att.norm", states + told)
            return states + 0.1 * told * w.made(f"{name}lang_weight").sigmoid()

        normed, embedded = self.rounds(
            levels, pixels, place, name, "RIA_layers", "RLA_vision", listen
        )
        votes = w.linear(f"{name}minimap_embed", normed, 2)
        absent = w.mlp(f"{name}nt_embed", normed, WIDTH, 2).mean(0)
        return torch.einsum("qa,qc,chw->ahw", votes, embedded, pixels), absent

    def told(self, layer, x, more, words, heard):
        """PWAM: what of a stage is seen, and what the next one starts from."""
        w, width, fusion = self.weights, x.shape[-1], f"{layer}fusion."
        cells = x.flatten(0, 1)

        def point(name, x):
            weight = w.made(f"{name}.weight", width, x.shape[-1], 1)[..., 0]
            return functional.linear(x, weight, w.made(f"{name}.bias", width))

        def even(x):
            return (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()

        query = even(point(f"{fusion}image_lang_att.f_query.0", cells))
        key = point(f"{fusion}image_lang_att.f_key.0", words) * heard[:, None]
        value = point(f"{fusion}image_lang_att.f_value.0", words) * heard[:, None]
        scores = query @ key.T / width**0.5
        shares = scores.masked_fill(heard == 0, -torch.inf).softmax(-1)
        told = even(point(f"{fusion}image_lang_att.W.0", shares @ value))
        seen = functional.gelu(point(f"{fusion}vis_project.0", cells)) * told
        seen = functional.gelu(point(f"{fusion}project_mm.0", seen)).view_as(x)
        if not more:
            return seen, x
        first, second = (w.made(f"{layer}res_gate.{n}.weight", width, width) for n in (0, 2))
        gate = functional.linear(functional.linear(seen, first).relu(), second).tanh()
        return seen, x + gate * seen


def _tokenizer():
    """BERT's kind of tokenizer, of a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "red", "mug", "box"]
    words = {name: number for number, name in enumerate(names)}
    pieces = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.Whitespace()
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers().PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]"
    )
