"""Large networks of which a small part is trained."""

from __future__ import annotations

from typing import Any, Self

from torch import nn

__all__ = ["PartlyTrained"]


class PartlyTrained(nn.Module):
    """A network whose checkpoints hold only what learns; the rest is as it was published.

    So are the statistics of batch norms, which are no parameters, and would be of one picture.

    Attributes:
        network: the whole; what learns requires gradients when this is made, all else does not.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        learnt = {
            f"network.{name}" for name, each in network.named_parameters() if each.requires_grad
        }

        def drop(module: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
            for name in [name for name in state if name.removeprefix(prefix) not in learnt]:
                del state[name]

        def forgive(module: nn.Module, keys: Any) -> None:
            keys.missing_keys[:] = [name for name in keys.missing_keys if name in learnt]

        self.register_state_dict_post_hook(drop)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(forgive)  # type: ignore[no-untyped-call]

    def train(self, mode: bool = True) -> Self:
        """Let parts that learn drop what they drop when they learn; others never do."""
        super().train(mode)
        for module in self.network.modules():
            held = list(module.parameters())
            frozen = held and not any(each.requires_grad for each in held)
            if frozen or isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self
